"""What a person is told, in one sentence."""


class EmbeddedError(Exception):
    """The embedded server cannot run here, or not like this."""
