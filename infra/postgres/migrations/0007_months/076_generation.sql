ALTER TABLE generation ADD COLUMN layout int NOT NULL DEFAULT 1;
COMMENT ON COLUMN generation.layout IS 'How its tables are laid out, beside what its version says of their contents.';
