ALTER TABLE tracking ADD COLUMN moved_at timestamptz;
COMMENT ON COLUMN tracking.moved_at IS 'When its position was moved last; null: by a release that did not say.';
