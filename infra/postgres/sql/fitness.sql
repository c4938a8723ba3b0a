SELECT current_user::text AS "user", current_database()::text AS database, current_setting('server_encoding') AS encoding,
       has_database_privilege(current_database(), 'CREATE') AS may_make_schemas,
       (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS may_make_roles,
       (SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = %(schema)s AND NOT pg_has_role(nspowner, 'USAGE'))
       AS stranger
