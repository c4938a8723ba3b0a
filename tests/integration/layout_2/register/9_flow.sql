CREATE TYPE {name}_flow AS ({dimension_columns}, {flow_columns});
