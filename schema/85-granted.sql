-- The complete list of who may do what.  The install and update scripts end with granting it
-- (wa.reset_privileges()), wa.self_check() compares every object with it, and
-- docs/reference.md shows it (scripts/reference).
--
-- Only the owner may use what is not in this list.  Owners hold all privileges on what they
-- own, and nobody may grant a privilege to others.  A role that needs more becomes a member
-- of a group role.  A grant on an object of schema wa that is not in the list is a finding of
-- wa.self_check(), whoever made it.
--
-- PUBLIC means the group roles, because nobody else may use the schema.
--
-- Where SQL is free, tables are granted by column, which excludes ctid, xmin and similar
-- columns (threat P28).  The gateway is sealed, and its statements name no such column.  It
-- gets the tables that every request reads as a whole, because column grants are checked one
-- by one at each execution (measured: 1 to 2 of some 55 microseconds a request).  Nobody is
-- granted a digest, a password's hash or a webhook's secret.
CREATE FUNCTION wa.granted() RETURNS TABLE (kind text, object text, columns text, privileges text, grantees text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 260
	SET quote_all_identifiers = off
AS $$
	SELECT 'SCHEMA', 'wa', NULL, 'USAGE',
		'wa_claim, wa_gateway, wa_worker, wa_connector, wa_app, wa_admin, wa_monitor'
UNION ALL
	SELECT 'FUNCTION', f.signature, NULL, 'EXECUTE', f.grantees FROM (VALUES
		-- The identity of a transaction
		('wa_gateway, wa_app', 'wa.authenticate(wa.secret, wa.permissions, text, text)'),
		('wa_gateway', 'wa.credential_org(wa.secret)'),
		('wa_gateway', 'wa.credential_reaches(wa.secret, wa.permission, text, uuid)'),
		('wa_worker, wa_connector', 'wa.act_for(uuid)'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.current_org()'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.current_key()'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.current_user_id()'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.current_sign_in()'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.current_expiry()'),
		('wa_gateway, wa_app', 'wa.current_rate()'),
		('wa_gateway, wa_app', 'wa.current_rate_left()'),
		('wa_gateway, wa_app', 'wa.current_rate_full_in()'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.member_role()'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.current_permissions()'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.has_permission(wa.permission)'),
		('wa_gateway, wa_app', 'wa.holds_permission(wa.permission)'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.require_org()'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.require_permission(wa.permission)'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.org_for(wa.permission)'),
		('wa_gateway, wa_app, wa_worker, wa_connector', 'wa.org_for_any_key(wa.permission)'),
		('wa_app', 'wa.authenticate_for(wa.secret, text[], text)'),
		('wa_gateway, wa_app', 'wa.current_own_permissions()'),
		('wa_gateway, wa_app', 'wa.has_own_permission(text)'),
		('wa_gateway, wa_app', 'wa.require_own_permission(text)'),
		('wa_gateway, wa_app', 'wa.org_for_own(text)'),
		('wa_gateway, wa_app', 'wa.org_for_own_any_key(text)'),
		('wa_gateway, wa_app', 'wa.reaches(uuid)'),
		('wa_gateway, wa_app', 'wa.reaches_session(uuid, text)'),
		('wa_gateway, wa_app', 'wa.reaches_webhook(uuid, uuid)'),
		('wa_gateway, wa_app', 'wa.me()'),
		('wa_app', 'wa.whoami()'),
		-- Sessions, chats and messages, with a key
		('wa_gateway, wa_app', 'wa.list_connectors()'),
		('wa_gateway, wa_app', 'wa.create_session(text, boolean, boolean, boolean, text)'),
		('wa_gateway, wa_app', 'wa.sealing_key(uuid, text)'),
		('wa_gateway, wa_app', 'wa.set_session_credentials(uuid, text, text, text, uuid, bytea)'),
		('wa_gateway, wa_app', 'wa.session_credentials(uuid)'),
		('wa_gateway, wa_app', 'wa.update_session(uuid, text, boolean, boolean, integer, integer)'),
		('wa_gateway, wa_app', 'wa.delete_session(uuid)'),
		('wa_gateway, wa_app', 'wa.control_session(uuid, text)'),
		('wa_gateway, wa_app', 'wa.session_qr(uuid)'),
		('wa_gateway, wa_app', 'wa.request_pairing_code(uuid, text)'),
		('wa_gateway, wa_app', 'wa.chat_jid(text)'),
		('wa_gateway, wa_app', 'wa.search_chats(uuid, text, boolean, boolean, timestamptz, text, integer)'),
		('wa_gateway, wa_app', 'wa.search_contacts(uuid, text, text, integer)'),
		('wa_gateway, wa_app', 'wa.search_messages(uuid, text, text, timestamptz, timestamptz, uuid, text, integer)'),
		('wa_gateway, wa_app', 'wa.update_chat(uuid, text, boolean, boolean, timestamptz)'),
		('wa_gateway, wa_app', 'wa.read_chat(uuid, text)'),
		('wa_gateway, wa_app', 'wa.send_message(uuid, text, text, jsonb, uuid, text[], text, bytea)'),
		('wa_gateway', 'wa.begin_file_message(uuid, text, text, jsonb, uuid, text[], text)'),
		('wa_gateway', 'wa.begin_media(text, text, bigint)'),
		('wa_gateway', 'wa.create_media(bytea, bigint, text, text, timestamptz)'),
		('wa_gateway, wa_app', 'wa.react_to_message(uuid, uuid, text)'),
		('wa_gateway, wa_app', 'wa.edit_message(uuid, uuid, text)'),
		('wa_gateway, wa_app', 'wa.revoke_message(uuid, uuid)'),
		('wa_gateway, wa_app', 'wa.forward_message(uuid, uuid, text, text)'),
		-- Webhooks, deliveries and events, with a key
		('wa_gateway, wa_app', 'wa.create_webhook(text, text[], uuid, jsonb, jsonb, boolean, text)'),
		('wa_gateway, wa_app', 'wa.update_webhook(uuid, text, text[], uuid, jsonb, jsonb, boolean)'),
		('wa_gateway, wa_app', 'wa.rotate_webhook_secret(uuid, text, integer)'),
		('wa_gateway, wa_app', 'wa.delete_webhook(uuid)'),
		('wa_gateway, wa_app', 'wa.event_position(uuid)'),
		('wa_gateway, wa_app', 'wa.event_limit(integer, bigint, uuid)'),
		('wa_gateway, wa_app', 'wa.read_events(uuid, text[], uuid, integer, integer)'),
		('wa_gateway, wa_app', 'wa.create_ticket(text, uuid, text[], uuid)'),
		('wa_gateway, wa_app', 'wa.test_webhook(uuid)'),
		('wa_gateway, wa_app', 'wa.read_delivery(uuid, uuid)'),
		('wa_gateway, wa_app', 'wa.replay_delivery(uuid, uuid)'),
		-- API keys, members and invitations, for people
		('wa_gateway, wa_app', 'wa.list_api_keys(uuid, integer)'),
		('wa_gateway, wa_app', 'wa.search_api_keys(text, uuid, integer)'),
		('wa_gateway, wa_app', 'wa.read_rate_limit(jsonb)'),
		('wa_gateway, wa_app', 'wa.rate_limit(integer, integer)'),
		('wa_gateway, wa_app', 'wa.create_api_key(text, text[], timestamptz, uuid[], text[], integer, integer, boolean)'),
		('wa_gateway, wa_app', 'wa.show_api_key(uuid)'),
		('wa_gateway, wa_app', 'wa.list_permissions()'),
		('wa_gateway, wa_app', 'wa.show_key_usage(uuid, integer)'),
		('wa_gateway, wa_app', 'wa.update_api_key(uuid, text, text[], timestamptz, boolean, uuid[], text[], integer, integer)'),
		('wa_gateway, wa_app', 'wa.revoke_api_key(uuid, text)'),
		('wa_gateway, wa_app', 'wa.revoke_api_keys(boolean, uuid, text)'),
		('wa_gateway, wa_app', 'wa.rotate_api_key(uuid, integer, timestamptz)'),
		('wa_gateway, wa_app', 'wa.show_key_policy()'),
		('wa_gateway, wa_app', 'wa.update_key_policy(integer, integer)'),
		('wa_gateway, wa_app', 'wa.remove_member(uuid)'),
		('wa_gateway, wa_app', 'wa.list_members(uuid, integer)'),
		('wa_gateway, wa_app', 'wa.search_members(text, uuid, integer)'),
		('wa_gateway, wa_app', 'wa.show_member(uuid)'),
		('wa_gateway, wa_app', 'wa.set_member_role(uuid, text)'),
		('wa_gateway, wa_app', 'wa.invite_member(text, text)'),
		('wa_gateway, wa_app', 'wa.list_invitations(uuid, integer)'),
		('wa_gateway, wa_app', 'wa.show_invitation(uuid)'),
		('wa_gateway, wa_app', 'wa.withdraw_invitation(uuid)'),
		('wa_gateway, wa_app', 'wa.list_audit(uuid, integer, text, text, text, timestamptz, timestamptz)'),
		('wa_gateway, wa_app', 'wa.show_audit_head()'),
		('wa_gateway, wa_app', 'wa.export_audit(bigint, integer)'),
		-- Signing in, and the sockets of the gateway
		('wa_gateway', 'wa.read_invitation(wa.secret)'),
		('wa_gateway', 'wa.accept_invitation(wa.secret, text, wa.password)'),
		('wa_gateway', 'wa.report_leaks(text, text, wa.leak_report)'),
		('wa_gateway', 'wa.sign_in(text, wa.password, text, text, wa.secret)'),
		('wa_gateway', 'wa.sign_out(wa.secret)'),
		('wa_gateway', 'wa.signed_in(wa.secret)'),
		('wa_gateway', 'wa.set_active_org(wa.secret, uuid)'),
		('wa_gateway', 'wa.mint_user_token(wa.secret, uuid)'),
		('wa_gateway', 'wa.change_password(wa.secret, wa.password, wa.password)'),
		('wa_gateway', 'wa.open_socket()'),
		('wa_gateway', 'wa.event_types_problem(text[])'),
		('wa_gateway', 'wa.redeem_ticket(wa.secret)'),
		('wa_gateway', 'wa.close_socket(wa.secret)'),
		-- The worker
		('wa_worker, wa_admin', 'wa.flush_key_usage(integer)'),
		('wa_gateway', 'wa.wait_for_events(uuid, wa.secret[], integer)'),
		('wa_gateway', 'wa.knock(uuid)'),
		('wa_worker', 'wa.wait_for_deliveries(text, bigint, integer)'),
		('wa_worker', 'wa.claim_webhooks(text, integer, interval)'),
		('wa_worker', 'wa.renew_lane(text, uuid, interval)'),
		('wa_worker', 'wa.release_lane(text, uuid)'),
		('wa_worker', 'wa.lane_target(text, uuid)'),
		('wa_worker', 'wa.take_deliveries(text, uuid, integer, uuid)'),
		('wa_worker', 'wa.finish_deliveries(text, uuid, jsonb, boolean)'),
		('wa_worker, wa_monitor', 'wa.delivery_stats()'),
		('wa_worker, wa_admin', 'wa.housekeep(text, integer)'),
		('wa_worker', 'wa.take_unused_bytes(integer)'),
		('wa_worker', 'wa.bytes_removed(jsonb)'),
		('wa_worker', 'wa.take_media_scan(text, interval)'),
		('wa_worker', 'wa.media_scanned(text, jsonb, text, boolean, interval)'),
		('wa_worker', 'wa.take_stored_bytes(integer)'),
		-- Connectors
		('wa_connector', 'wa.connector_sessions(text, text, integer, interval)'),
		('wa_connector', 'wa.connector_credentials(text, text, uuid[])'),
		('wa_connector', 'wa.connector_receivers(text, text[], text)'),
		('wa_connector', 'wa.connector_release(text)'),
		('wa_connector', 'wa.connector_claim(text, text, integer, interval)'),
		('wa_connector', 'wa.connector_actions(text, text, integer, interval)'),
		('wa_connector', 'wa.connector_attachment(uuid, text)'),
		('wa_connector', 'wa.connector_media(text, text, integer, interval)'),
		('wa_connector', 'wa.connector_media_stored(uuid, text, integer, bytea, bigint, text)'),
		('wa_connector', 'wa.connector_media_failed(uuid, text, integer, text, boolean, boolean)'),
		('wa_connector', 'wa.connector_session(uuid, text, text, text, text, text, timestamptz, text, timestamptz)'),
		('wa_connector', 'wa.connector_report(json)'),
		-- The claim functions, whose bodies run as wa_claim
		('wa_owner', 'wa.hide_session(uuid, uuid)'),
		('wa_owner', 'wa.take_number(uuid, uuid)'),
		('wa_owner', 'wa.count_sealed(uuid)'),
		('wa_owner', 'wa.count_sessions(uuid, integer)'),
		('wa_owner', 'wa.count_webhooks(uuid, integer)'),
		('wa_owner', 'wa.count_media_bytes(uuid)'),
		('wa_owner', 'wa.count_received_bytes(uuid)'),
		('wa_claim', 'wa.count_file(wa.media, integer)'),
		('wa_claim', 'wa.refuse_removal()'),
		('wa_claim', 'wa.upload_days()'),
		('wa_owner', 'wa.refuse_removed(uuid, bytea, timestamptz)'),
		('wa_owner', 'wa.claim_unused_bytes(uuid, integer)'),
		('wa_owner', 'wa.end_removals(jsonb)'),
		('wa_owner', 'wa.claim_unknown_bytes(jsonb, boolean)'),
		('wa_owner', 'wa.stored_bytes_behind(uuid, bytea, integer)'),
		('wa_claim', 'wa.has_received_room(uuid, bigint)'),
		('wa_claim', 'wa.received_room_error(uuid)'),
		('wa_claim', 'wa.has_media_room(uuid, bigint)'),
		('wa_claim', 'wa.media_room_error(uuid)'),
		('wa_owner', 'wa.count_tests(uuid, integer)'),
		('wa_owner', 'wa.stray_session(uuid, uuid[], boolean)'),
		('wa_owner', 'wa.sweep_deleted_sessions(uuid, integer)'),
		('wa_owner', 'wa.sweep_read_chats(uuid, integer)'),
		('wa_owner', 'wa.sweep_unsent(uuid, integer)'),
		('wa_owner', 'wa.sweep_media(uuid, integer)'),
		('wa_claim', 'wa.orgs_behind(uuid)'),
		('wa_claim', 'wa.fetch_days()'),
		('wa_claim', 'wa.free_media(uuid, integer)'),
		('wa_claim', 'wa.is_media_in_use(uuid, uuid, text)'),
		('wa_claim', 'wa.expiry_reason(uuid, uuid, text)'),
		('wa_claim', 'wa.expire_media(uuid, text, timestamptz, integer)'),
		('wa_owner', 'wa.event_rows(uuid)'),
		('wa_claim', 'wa.event_rows_max()'),
		('wa_claim', 'wa.events_at_once(uuid, integer, integer)'),
		('wa_claim', 'wa.hold_events()'),
		('wa_claim', 'wa.write_claimed_events()'),
		('wa_claim', 'wa.fail_unsent(uuid, uuid, integer)'),
		('wa_claim', 'wa.refuse_field(text, text)'),
		('wa_claim', 'wa.check_lease(text, integer, interval)'),
		('wa_claim', 'wa.renew_sessions(text, text, interval)'),
		('wa_claim', 'wa.waiting_organizations(text, integer, integer)'),
		('wa_claim', 'wa.take_sessions(text, text, integer, interval)'),
		('wa_claim', 'wa.due_organizations(integer)'),
		('wa_claim', 'wa.random_organization()'),
		('wa_claim', 'wa.new_lanes(uuid, integer)'),
		('wa_claim', 'wa.random_uuid(uuid, uuid)'),
		('wa_claim', 'wa.event_horizon(uuid)'),
		('wa_claim', 'wa.observe_writers()'),
		('wa_claim', 'wa.event_writers()'),
		('wa_claim', 'wa.event_room()'),
		('wa_claim', 'wa.wait_for_change(bigint, integer)'),
		-- Administration
		('wa_admin', 'wa.find_key(text)'),
		('wa_admin', 'wa.hash_key(text)'),
		('wa_admin', 'wa.event_writers()'),
		('wa_admin', 'wa.remembered_key_use(wa.org_id, wa.key_id)'),
		('wa_admin', 'wa.unflushed_key_hours()'),
		('wa_admin', 'wa.key_last_used(wa.org_id, wa.key_id)'),
		('wa_admin', 'wa.protect(regclass, name, text, text, text, text, text, boolean)'),
		('wa_admin', 'wa.unprotect(regclass, boolean)'),
		('wa_admin', 'wa.put_policies(regclass, name, text, text, text, text, boolean)'),
		('wa_admin', 'wa.drop_policies(regclass)'),
		('wa_admin', 'wa.refuse_unknown_permission(text)'),
		('wa_admin', 'wa.policy_permission(pg_node_tree)'),
		('wa_admin', 'wa.granted()'),
		('wa_admin', 'wa.create_org(text)'),
		('wa_admin', 'wa.create_key(wa.org_id, text, wa.permissions, timestamptz, wa.session_id[], text[], integer, integer, text[], boolean)'),
		('wa_admin', 'wa.import_key(wa.org_id, text, bytea, wa.permissions, timestamptz, text, wa.session_id[], text[], integer, integer, text[], boolean)'),
		('wa_admin', 'wa.import_keys(text, wa.org_id, text, text[], jsonb, boolean, boolean, boolean)'),
		('wa_admin', 'wa.revoke_key(wa.key_id)'),
		('wa_admin', 'wa.revoke_key(wa.org_id, text, text)'),
		('wa_admin', 'wa.revoke_key_with_reason(wa.key_id, text)'),
		('wa_admin', 'wa.revoke_keys(wa.org_id, wa.user_id, text)'),
		('wa_admin', 'wa.revoke_secret(wa.secret, text)'),
		('wa_admin', 'wa.explain_denial(wa.secret, text, wa.session_id, text)'),
		('wa_admin', 'wa.set_scanner_keys(text, jsonb)'),
		('wa_admin', 'wa.define_permission(text, text, boolean)'),
		('wa_admin', 'wa.drop_permission(text)'),
		('wa_admin', 'wa.set_own_permissions(wa.key_id, text[])'),
		('wa_admin', 'wa.describe_permissions()'),
		('wa_admin', 'wa.own_permission_names(bigint)'),
		('wa_admin', 'wa.policy_condition(name, text, boolean)'),
		('wa_admin', 'wa.disable_key(wa.key_id)'),
		('wa_admin', 'wa.enable_key(wa.key_id)'),
		('wa_admin', 'wa.set_key_policy(wa.org_id, integer, integer)'),
		('wa_admin', 'wa.rotate_key(wa.key_id, interval, timestamptz)'),
		('wa_admin', 'wa.update_key(wa.key_id, text, wa.permissions, timestamptz, wa.session_id[], text[], integer, integer, text[], text[])'),
		('wa_admin', 'wa.create_user(text, text, wa.password)'),
		('wa_admin', 'wa.disable_user(wa.user_id)'),
		('wa_admin', 'wa.enable_user(wa.user_id)'),
		('wa_admin', 'wa.reset_password(wa.user_id)'),
		('wa_admin', 'wa.add_member(wa.org_id, wa.user_id, text)'),
		('wa_admin', 'wa.remove_member(wa.org_id, wa.user_id)'),
		('wa_admin', 'wa.set_event_days(wa.org_id, integer)'),
		('wa_admin', 'wa.set_media_scan(boolean)'),
		('wa_admin', 'wa.set_media_days(wa.org_id, integer)'),
		('wa_admin', 'wa.tail_events(wa.org_id, uuid, text[], integer)'),
		('wa_admin', 'wa.set_org_limit(wa.org_id, text, integer)'),
		('wa_admin', 'wa.default_limits()'),
		('wa_admin', 'wa.set_connector_capability(text, text, boolean)'),
		('wa_admin', 'wa.add_connector_key(text, bytea)'),
		('wa_admin', 'wa.remove_connector_key(uuid)'),
		('wa_admin', 'wa.connector_keys()'),
		('wa_admin', 'wa.capabilities()'),
		('wa_admin', 'wa.audit_head(wa.org_id)'),
		('wa_admin', 'wa.audit_subject(text, uuid)'),
		('wa_admin', 'wa.verify_audit(wa.org_id, bigint, bytea)'),
		-- Monitoring
		('wa_gateway, wa_worker, wa_connector, wa_admin, wa_monitor', 'wa.self_check()'),
		-- Input and output of the types, and the operators of wa.permissions
		('PUBLIC', 'wa.secret_in(cstring)'),
		('PUBLIC', 'wa.secret_out(wa.secret)'),
		('PUBLIC', 'wa.secret_recv(internal)'),
		('PUBLIC', 'wa.secret_send(wa.secret)'),
		('PUBLIC', 'wa.permissions_in(cstring)'),
		('PUBLIC', 'wa.permissions_out(wa.permissions)'),
		('PUBLIC', 'wa.permissions_recv(internal)'),
		('PUBLIC', 'wa.permissions_send(wa.permissions)'),
		('PUBLIC', 'wa.permissions_contains(wa.permissions, wa.permissions)'),
		('PUBLIC', 'wa.permissions_contained(wa.permissions, wa.permissions)'),
		('PUBLIC', 'wa.permissions_overlaps(wa.permissions, wa.permissions)'),
		('PUBLIC', 'wa.permissions_eq(wa.permissions, wa.permissions)'),
		('PUBLIC', 'wa.permissions_ne(wa.permissions, wa.permissions)'),
		('PUBLIC', 'wa.permissions_hash(wa.permissions)'),
		('PUBLIC', 'wa.permissions_hash_extended(wa.permissions, bigint)'),
		('PUBLIC', 'wa.leak_report_in(cstring)'),
		('PUBLIC', 'wa.leak_report_out(wa.leak_report)'),
		('PUBLIC', 'wa.leak_report_recv(internal)'),
		('PUBLIC', 'wa.leak_report_send(wa.leak_report)'),
		('PUBLIC', 'wa.password_in(cstring)'),
		('PUBLIC', 'wa.password_out(wa.password)'),
		('PUBLIC', 'wa.password_recv(internal)'),
		('PUBLIC', 'wa.password_send(wa.password)'),
		('PUBLIC', 'wa.org_id_in(cstring)'),
		('PUBLIC', 'wa.org_id_out(wa.org_id)'),
		('PUBLIC', 'wa.org_id_recv(internal)'),
		('PUBLIC', 'wa.org_id_send(wa.org_id)'),
		('PUBLIC', 'wa.key_id_in(cstring)'),
		('PUBLIC', 'wa.key_id_out(wa.key_id)'),
		('PUBLIC', 'wa.key_id_recv(internal)'),
		('PUBLIC', 'wa.key_id_send(wa.key_id)'),
		('PUBLIC', 'wa.user_id_in(cstring)'),
		('PUBLIC', 'wa.user_id_out(wa.user_id)'),
		('PUBLIC', 'wa.user_id_recv(internal)'),
		('PUBLIC', 'wa.user_id_send(wa.user_id)'),
		('PUBLIC', 'wa.session_id_in(cstring)'),
		('PUBLIC', 'wa.session_id_out(wa.session_id)'),
		('PUBLIC', 'wa.session_id_recv(internal)'),
		('PUBLIC', 'wa.session_id_send(wa.session_id)'),
		-- Functions that read only their arguments, or what everybody may know
		('PUBLIC', 'wa.version()'),
		('PUBLIC', 'wa.preloaded()'),
		('PUBLIC', 'wa.minimum_release()'),
		('PUBLIC', 'wa.uuid7()'),
		('PUBLIC', 'wa.typeid(text, uuid)'),
		('PUBLIC', 'wa.from_typeid(text, text)'),
		('PUBLIC', 'wa.is_name(text)'),
		('PUBLIC', 'wa.clean_name(text)'),
		('PUBLIC', 'wa.name_problem(text)'),
		('PUBLIC', 'wa.name_skeleton(text)'),
		('PUBLIC', 'wa.clean_email(text)'),
		('PUBLIC', 'wa.is_email(text)'),
		('PUBLIC', 'wa.org_column_of(regclass)'),
		('PUBLIC', 'wa.is_protected(regclass)'),
		('PUBLIC', 'wa.leaks(regclass, name)'),
		-- The functions that these call
		('PUBLIC', 'wa.descendants(oid[])'),
		('PUBLIC', 'wa.ancestors(oid[])'),
		('PUBLIC', 'wa.org_columns(oid[])'),
		('PUBLIC', 'wa.guards(oid[])'),
		('PUBLIC', 'wa.application_roles()'),
		('PUBLIC', 'wa.administrators()'),
		('PUBLIC', 'wa.labelled_tables()'),
		('PUBLIC', 'wa.watched_tables()'),
		('PUBLIC', 'wa.role_leaks()'),
		('PUBLIC', 'wa.index_leaks(oid[], name[])'),
		('PUBLIC', 'wa.foreign_key_leaks(oid[], name[])'),
		('PUBLIC', 'wa.right_leaks(oid[])'),
		('PUBLIC', 'wa.reader_leaks(oid[])'),
		('PUBLIC', 'wa.tree_leaks(oid[], name[])'),
		('PUBLIC', 'wa.table_leaks(oid[], name[])'),
		('PUBLIC', 'wa.protection_failures()'),
		('PUBLIC', 'wa.recipient_jid(text)'),
		('PUBLIC', 'wa.chat_type(text)'),
		('PUBLIC', 'wa.is_chat_state(text, integer)'),
		('PUBLIC', 'wa.is_delivery_status(text)'),
		('PUBLIC', 'wa.is_message_state(text, text, text)'),
		('PUBLIC', 'wa.with_reaction(jsonb, text, text)'),
		('PUBLIC', 'wa.retry_pause(integer)'),
		('PUBLIC', 'wa.event_types()'),
		('PUBLIC', 'wa.epoch_ms(timestamptz)'),
		('PUBLIC', 'wa.session_ids(uuid[])'),
		('PUBLIC', 'wa.from_session_ids(text[])')
	) f (grantees, signature)
UNION ALL
	SELECT 'TABLE', t.name, t.columns, t.privileges, t.grantees FROM (VALUES
		-- Sessions, chats and messages
		('wa_gateway', 'SELECT', 'wa.session', NULL),
		('wa_app', 'SELECT', 'wa.session', 'org_id, id, label, status, status_reason, connector, phone_number, wa_jid, pairing, queue_error, auto_read,
			presence_typing, rate_per_min, rate_per_hour, created_at, updated_at, last_connected_at, lease_owner, lease_until, deleted_at'),
		('wa_claim', 'SELECT, UPDATE, DELETE', 'wa.session', NULL),
		('wa_claim', 'SELECT', 'wa.session_wanted', NULL),
		('wa_claim', 'SELECT, UPDATE', 'wa.session_credentials', NULL),
		('wa_gateway', 'SELECT', 'wa.session_pairing', NULL),
		('wa_app', 'SELECT', 'wa.session_pairing', 'org_id, session_id, qr_code, qr_expires_at, phone, code'),
		('wa_gateway', 'SELECT', 'wa.deleted_session', NULL),
		('wa_app', 'SELECT', 'wa.deleted_session', 'org_id, id'),
		('wa_claim', 'SELECT, INSERT, UPDATE', 'wa.deleted_session', NULL),
		('wa_claim', 'SELECT', 'wa.session_pairing', NULL),
		('wa_gateway', 'SELECT', 'wa.chat', NULL),
		('wa_app', 'SELECT', 'wa.chat', 'org_id, session_id, jid, type, name, active_at, last_message_at, unread_count,
			archived, pinned, muted_until, read_to'),
		('wa_claim', 'SELECT, UPDATE, DELETE', 'wa.chat', NULL),
		('wa_claim', 'SELECT, DELETE', 'wa.contact', NULL),
		('wa_gateway', 'SELECT', 'wa.contact', NULL),
		('wa_app', 'SELECT', 'wa.contact', 'org_id, session_id, jid, phone_number, name, business_name, first_seen_at,
			last_seen_at, user_id, username'),
		('wa_gateway', 'SELECT', 'wa.message', NULL),
		('wa_app', 'SELECT', 'wa.message', 'org_id, id, session_id, pairing, session_phone_number, chat_jid, wa_message_id, direction, sender_jid,
			sender_name, type, body, content, quoted_message_id, mentions, media, media_data, media_id, status, error, error_code, edited, revoked,
			forwarded, reactions, sent_at, created_at, attempts, lease_owner, lease_until'),
		('wa_claim', 'SELECT, UPDATE, DELETE', 'wa.message', NULL),
		('wa_gateway', 'SELECT', 'wa.media', NULL),
		('wa_app', 'SELECT', 'wa.media', 'org_id, id, state, sha256, size, mimetype, filename, error, key_id, user_id, created_at, unused_at'),
		('wa_claim', 'SELECT, UPDATE, DELETE', 'wa.media', NULL),
		('wa_claim', 'SELECT, INSERT, UPDATE, DELETE', 'wa.media_bytes', NULL),
		('wa_claim', 'SELECT, INSERT, UPDATE', 'wa.media_room', NULL),
		('wa_claim', 'SELECT, UPDATE, DELETE', 'wa.media_fetch', NULL),
		('wa_gateway', 'SELECT', 'wa.message_action', NULL),
		('wa_app', 'SELECT', 'wa.message_action', 'org_id, id, session_id, pairing, message_id, type, payload, status, error,
			created_at, attempts, lease_owner, lease_until'),
		('wa_claim', 'SELECT, UPDATE, DELETE', 'wa.message_action', NULL),
		-- Webhooks, events and deliveries
		('wa_gateway, wa_app', 'SELECT', 'wa.webhook', 'org_id, id, session_id, url, events, custom_headers, retry_policy,
			retry_delay_seconds, retry_attempts, active, created_at, updated_at, disabled_at, disabled_reason'),
		('wa_claim', 'SELECT', 'wa.webhook', 'org_id, id, active, disabled_at'),
		('wa_claim', 'SELECT, INSERT, UPDATE', 'wa.webhook_lane', NULL),
		('wa_gateway, wa_app', 'SELECT', 'wa.event', 'org_id, epoch, ordinal, id, type, session_id, envelope'),
		('wa_claim', 'SELECT', 'wa.event', 'org_id, epoch, ordinal, id, created_at'),
		('wa_gateway, wa_app', 'SELECT', 'wa.delivery', 'org_id, webhook_id, id, event_id, type, session_id, status,
			attempts, next_attempt_at, status_code, error, created_at, updated_at'),
		('wa_claim', 'SELECT', 'wa.delivery', 'org_id, webhook_id, status, next_attempt_at, epoch, ordinal, event_id,
			created_at, type'),
		-- Administration
		('wa_admin', 'SELECT', 'wa.org', 'id, name, created_at, event_days, media_days'),
		('wa_claim', 'SELECT', 'wa.org', 'id, media_days'),
		('wa_admin', 'SELECT', 'wa.org_limits', 'org_id, name, value'),
		('wa_admin', 'SELECT', 'wa.key_policy', 'org_id, default_days, max_days'),
		('wa_admin', 'SELECT', 'wa.api_key', 'org_id, id, name, prefix, permissions, created_at, created_by, expires_at,
			superseded_by, holds_name, disabled_at, disabled_by, revoked_at, revoked_by, revoked_reason,
			sessions,
			addresses, per_minute, burst, own_permissions, is_test'),
		('wa_admin', 'SELECT', 'wa.api_key_usage', 'org_id, key_id, first_used_at, first_used_from, last_used_at,
			last_used_from, last_used_agent'),
		('wa_admin', 'SELECT', 'wa.api_key_hour', 'org_id, key_id, hour, allowed, expired, revoked, disabled, address,
			permission, session, rate'),
		('wa_admin', 'SELECT', 'wa.unknown_key', 'hour, prefix, denied'),
		('wa_admin', 'SELECT', 'wa.keys', NULL),
		('wa_admin', 'SELECT', 'wa.protected', NULL),
		('wa_admin', 'SELECT', 'wa.key_usage', NULL),
		('wa_admin', 'SELECT', 'wa.scanner_key', 'scanner, identifier, added_at'),
		('wa_admin', 'SELECT', 'wa.own_permission', 'number, name, description, grantable, defined_at, defined_by, dropped_at, dropped_by'),
		('wa_admin', 'SELECT', 'wa.connector_capability', 'connector, capability, built_in, is_supported, set_by'),
		('wa_admin', 'SELECT', 'wa.connector_key', 'id, connector, public_key, added_at, added_by'),
		('wa_admin', 'SELECT', 'wa.app_user', 'id, email, name, created_at, disabled_at'),
		('wa_admin', 'SELECT', 'wa.member', 'org_id, user_id, role, created_at'),
		('wa_admin', 'SELECT', 'wa.ended', 'org_id, id, subject, kind, at, actor, reason'),
		('wa_admin', 'SELECT', 'wa.live_member', NULL),
		('wa_admin', 'SELECT', 'wa.people', NULL),
		('wa_admin', 'SELECT', 'wa.audit', 'org_id, id, at, actor, actor_name, action, subject, detail, sequence, hash'),
		('wa_admin', 'SELECT', 'wa.statement', NULL)
	) t (grantees, privileges, name, columns)
UNION ALL
	SELECT 'TYPE', t.name, NULL, 'USAGE', t.grantees FROM (VALUES
		('PUBLIC', 'wa.secret'),
		('PUBLIC', 'wa.leak_report'),
		('PUBLIC', 'wa.password'),
		('PUBLIC', 'wa.permission'),
		('PUBLIC', 'wa.permissions'),
		('PUBLIC', 'wa.org_id'),
		('PUBLIC', 'wa.key_id'),
		('PUBLIC', 'wa.user_id'),
		('PUBLIC', 'wa.session_id')
	) t (grantees, name)
UNION ALL
	-- The row types of tables and views have the privileges that PostgreSQL gives them,
	-- because pg_dump and pg_upgrade do not include privileges of row types.  Only a row type
	-- whose privileges were changed has an entry.
	SELECT 'TYPE', t.oid::regtype::text, NULL, 'USAGE', 'PUBLIC'
	FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid
	WHERE t.typnamespace = 'wa'::regnamespace AND c.relkind <> 'c' AND t.typacl IS NOT NULL
$$;
COMMENT ON FUNCTION wa.granted() IS
	'what is granted to whom on the objects of schema wa, beyond what their owners hold; everything else is closed';

-- The same list, one row per privilege, with names as PostgreSQL prints them and with the
-- owners' privileges.
CREATE FUNCTION wa.granted_privileges()
	RETURNS TABLE (kind text, object text, column_name name, privilege text, grantee text, grantable boolean)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1000
	SET quote_all_identifiers = off
AS $$
	SELECT g.kind,
		COALESCE(CASE g.kind
			WHEN 'FUNCTION' THEN to_regprocedure(g.object)::text
			WHEN 'TYPE' THEN to_regtype(g.object)::text
			WHEN 'TABLE' THEN to_regclass(g.object)::text END, g.object),
		column_name::name, privilege, grantee, false
	FROM wa.granted() g
		CROSS JOIN LATERAL unnest(regexp_split_to_array(g.privileges, E',\\s*')) privilege
		CROSS JOIN LATERAL unnest(regexp_split_to_array(g.grantees, E',\\s*')) grantee
		LEFT JOIN LATERAL unnest(regexp_split_to_array(g.columns, E',\\s*')) column_name ON true
UNION
	SELECT o.kind, o.object, o.column_name, held.privilege_type, o.owner::regrole::text, held.is_grantable
	FROM wa.acl_objects() o CROSS JOIN aclexplode(o.made_with) held
	WHERE held.grantee = o.owner
$$;
COMMENT ON FUNCTION wa.granted_privileges() IS 'every privilege that somebody has to hold on an object of schema wa, and nobody any other';

CREATE FUNCTION wa.wrong_privileges() RETURNS SETOF text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET quote_all_identifiers = off
AS $$
	WITH held AS MATERIALIZED (SELECT * FROM wa.privileges()),
		wanted AS MATERIALIZED (SELECT * FROM wa.granted_privileges()),
		wrong AS (
			SELECT 'too much' AS what, m.* FROM (TABLE held EXCEPT TABLE wanted) m
		UNION ALL
			SELECT 'missing', l.* FROM (TABLE wanted EXCEPT TABLE held) l)
	SELECT format('%s: %s%s on %s %s to %s%s', w.what, w.privilege, ' (' || quote_ident(w.column_name) || ')',
		lower(w.kind), w.object, w.grantee, CASE WHEN w.grantable THEN ' with grant option' END)
	FROM wrong w
$$;
COMMENT ON FUNCTION wa.wrong_privileges() IS 'each difference between the privileges that are held in schema wa and those of wa.granted()';

CREATE FUNCTION wa.reset_privileges() RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	entry record;
	wrong text;
BEGIN
	PERFORM wa.revoke_privileges();
	FOR entry IN SELECT * FROM wa.granted() LOOP
		EXECUTE format('GRANT %s%s ON %s %s TO %s', entry.privileges, ' (' || entry.columns || ')',
					   entry.kind, entry.object, entry.grantees);
	END LOOP;
	SELECT string_agg(w, '; ') INTO wrong FROM wa.wrong_privileges() w;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'privileges in schema wa are not those of wa.granted()'
			USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = wrong;
	END IF;
END $$;
COMMENT ON FUNCTION wa.reset_privileges() IS
	'for superusers: makes the privileges in schema `wa` those of `wa.granted()`, whatever they were. The end of '
	'every install and update script. `55000` if something is left that no `REVOKE` can name';
