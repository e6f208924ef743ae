/* SPDX-License-Identifier: Apache-2.0 */
/* What the route table calls. Each answers the call, or lets it wait for the fleet (call.h). */
#ifndef DN_API_HANDLERS_H
#define DN_API_HANDLERS_H

typedef struct dn_call dn_call;

/* clients.c */
void dn_handle_clients(dn_call *call);
void dn_handle_client(dn_call *call);
/* operations.c */
void dn_handle_get(dn_call *call);
void dn_handle_write(dn_call *call);
void dn_handle_create(dn_call *call);
void dn_handle_execute(dn_call *call);
void dn_handle_delete(dn_call *call);
/* composites.c */
void dn_handle_read_composite(dn_call *call);
void dn_handle_write_composite(dn_call *call);
void dn_handle_observe_composite(dn_call *call);
void dn_handle_unobserve_composite(dn_call *call);
/* packages.c */
void dn_handle_packages(dn_call *call);
void dn_handle_add_package(dn_call *call);
void dn_handle_package(dn_call *call);
void dn_handle_remove_package(dn_call *call);
void dn_handle_push(dn_call *call);
/* writing.c: as dn_handle_write, with call->body whatever the query says of a package */
void dn_handle_write_body(dn_call *call);
/* requests.c */
void dn_handle_requests(dn_call *call);
void dn_handle_request(dn_call *call);
void dn_handle_cancel_request(dn_call *call);
/* reads.c */
void dn_handle_reads(dn_call *call);
/* observations.c */
void dn_handle_observations(dn_call *call);
void dn_handle_observe(dn_call *call);
void dn_handle_unobserve(dn_call *call);
/* event_stream.c */
void dn_handle_events(dn_call *call);
/* models.c */
void dn_handle_models(dn_call *call);
void dn_handle_model(dn_call *call);
void dn_handle_add_model(dn_call *call);
/* credentials.c */
void dn_handle_credentials(dn_call *call);
void dn_handle_credential(dn_call *call);
void dn_handle_put_credential(dn_call *call);
void dn_handle_remove_credential(dn_call *call);
/* server_identity.c */
void dn_handle_server_identity(dn_call *call);
/* bootstrap_configs.c */
void dn_handle_bootstrap_configs(dn_call *call);
void dn_handle_bootstrap_config(dn_call *call);
void dn_handle_put_bootstrap_config(dn_call *call);
void dn_handle_remove_bootstrap_config(dn_call *call);
void dn_handle_bootstrap_versions(dn_call *call);
void dn_handle_effective_bootstrap_config(dn_call *call);
/* bootstrap_runs.c */
void dn_handle_bootstrap_runs(dn_call *call);
void dn_handle_bootstrap_rerun(dn_call *call);
/* bootstrap_trigger.c */
void dn_handle_bootstrap_trigger(dn_call *call);
/* info.c */
void dn_handle_server(dn_call *call);
void dn_handle_health(dn_call *call);
void dn_handle_metrics(dn_call *call);
void dn_handle_openapi(dn_call *call);

#endif
