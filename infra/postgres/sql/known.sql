SELECT command_id, digest, first_position, events FROM command WHERE command_id = ANY (%s::text[])
