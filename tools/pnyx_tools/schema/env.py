"""Alembic runs this file: the versions, on the connection that it was given, inside of its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
