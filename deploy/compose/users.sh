#!/bin/bash
# Run by MySQL's image on an empty database: the users of deploy/README.md.
mysql --password="$(cat /keys/mysql_root_password)" contacts <<SQL
CREATE USER contacts_admin IDENTIFIED BY '$(cat /keys/mysql_users_password)' REQUIRE SSL;
GRANT ALL ON contacts.* TO contacts_admin;
CREATE USER contacts_server IDENTIFIED BY '$(cat /keys/mysql_users_password)' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE ON contacts.* TO contacts_server;
SQL
