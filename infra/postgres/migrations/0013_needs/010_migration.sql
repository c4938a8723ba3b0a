ALTER TABLE migration ADD COLUMN needs text COLLATE "C";
COMMENT ON COLUMN migration.needs IS
    'Which migration a release must know, at the least, to go on beside this one; null: whatever it knows.';
