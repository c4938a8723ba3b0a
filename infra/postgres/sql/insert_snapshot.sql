INSERT INTO snapshot (stream, version, type, state) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
