/* SPDX-License-Identifier: Apache-2.0 */
/* In the image: how often the bootstrap server is tried, where its account says so (dunlin_server.bounded). Empty: it does not. */
#include "client/image_section.h"

static void write_tries(dunlin_client *client, dn_image_out *out, bool whole)
{
    const dunlin_registration_policy *policy = &client->bootstrap.policy;
    (void)whole;
    if (client->bootstrap.bounded) {
        dn_image_put_number(out, policy->retry_count);
        dn_image_put_number(out, policy->retry_timer_s);
        dn_image_put_number(out, policy->sequence_delay_s);
        dn_image_put_number(out, policy->sequence_count);
    }
}

/* False: there is nothing, or something that no account could have. */
static bool read_tries(dn_image_in *in, dunlin_registration_policy *policy)
{
    if (!dn_image_more(in)) {
        return false;
    }
    *policy = dunlin_server_default().policy;
    policy->retry_count = (uint32_t)dn_image_get_number(in, UINT32_MAX);
    policy->retry_timer_s = (uint32_t)dn_image_get_number(in, UINT32_MAX);
    policy->sequence_delay_s = (uint32_t)dn_image_get_number(in, UINT32_MAX);
    policy->sequence_count = (uint32_t)dn_image_get_number(in, UINT32_MAX);
    in->bad = in->bad || policy->retry_count == 0 || policy->sequence_count == 0;
    return !in->bad;
}

static dunlin_status check_tries(dunlin_client *client, dn_image_in in, bool whole)
{
    dunlin_registration_policy policy;
    (void)client;
    (void)whole;
    (void)read_tries(&in, &policy);
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

static void apply_tries(dunlin_client *client, dn_image_in in, bool whole)
{
    dunlin_registration_policy policy;
    (void)whole;
    client->bootstrap.bounded = read_tries(&in, &policy);
    if (client->bootstrap.bounded) {
        client->bootstrap.policy = policy;
    }
}

const dn_image_section dn_image_tries = {DN_IMAGE_TRIES, write_tries, check_tries, apply_tries};
