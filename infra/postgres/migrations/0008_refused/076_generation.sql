ALTER TABLE generation
    DROP CONSTRAINT generation_state_check,
    ADD CONSTRAINT generation_state_check CHECK (state IN ('filling', 'current', 'old', 'refused'));
COMMENT ON COLUMN generation.state IS
    'filling; current: the one that is read; old: it was; refused: it differed from the one that is read, and was not accepted.';
