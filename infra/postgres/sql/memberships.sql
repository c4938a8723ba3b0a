-- Those of some roles that there are: whether the user may act as one and has its rights, is a member of it at all, and may
-- grant it to himself.
SELECT r.rolname::text, pg_has_role(r.oid, %(act_as)s) AND pg_has_role(r.oid, 'USAGE') AS is_whole,
       pg_has_role(r.oid, 'MEMBER') AS is_member,
       u.rolsuper OR pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION') OR u.rolcreaterole AND %(version)s < 16 AS is_grantable
  FROM pg_roles r, pg_roles u
 WHERE r.rolname = ANY (%(roles)s::text[]) AND u.rolname = current_user
