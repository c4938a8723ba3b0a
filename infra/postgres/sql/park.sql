INSERT INTO quarantine (projection, stream, order_key, version, position, error)
VALUES (%(projection)s, %(stream)s, %(order_key)s, %(version)s, %(position)s, %(error)s)
    ON CONFLICT (projection, stream) DO UPDATE SET version = excluded.version, position = excluded.position,
                                                  error = excluded.error
