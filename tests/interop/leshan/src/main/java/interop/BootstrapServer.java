// SPDX-License-Identifier: Apache-2.0
// A Leshan bootstrap server on free ports, driven by JSON lines: "secure" adds the credential of a device towards it, as for the server;
// "config" says what a device is given. Options: --private FILE --certificate CHAIN --trust FILE.
package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConfig.DtlsRole;
import org.eclipse.leshan.core.CertificateUsage;
import org.eclipse.leshan.core.SecurityMode;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.peer.LwM2mPeer;
import org.eclipse.leshan.core.peer.OscoreIdentity;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapDownlinkRequest;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.server.bootstrap.BootstrapConfig;
import org.eclipse.leshan.server.bootstrap.BootstrapFailureCause;
import org.eclipse.leshan.server.bootstrap.BootstrapSession;
import org.eclipse.leshan.server.bootstrap.BootstrapSessionListener;
import org.eclipse.leshan.server.bootstrap.InMemoryBootstrapConfigStore;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServerBuilder;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.CaliforniumBootstrapServerEndpointsProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coap.CoapBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coaps.CoapsBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.security.BootstrapSecurityStore;
import org.eclipse.leshan.server.security.SecurityInfo;

public final class BootstrapServer {
    private static final String LIFETIME = "300";

    private final Lines lines = new Lines();
    private final InMemoryBootstrapConfigStore configs = new InMemoryBootstrapConfigStore();
    private final Map<String, SecurityInfo> credentials = new ConcurrentHashMap<>();
    private final LeshanBootstrapServer server;

    private BootstrapServer(Options options) throws Exception {
        var endpoints = new CaliforniumBootstrapServerEndpointsProvider.Builder(new CoapBootstrapServerProtocolProvider(),
                new CoapsBootstrapServerProtocolProvider());
        var configuration = endpoints.createDefaultConfiguration();
        options.configure(configuration);
        configuration.set(DtlsConfig.DTLS_ROLE, DtlsRole.SERVER_ONLY);
        endpoints.setConfiguration(configuration);
        InetAddress host = InetAddress.getByName("127.0.0.1");
        endpoints.addEndpoint(new InetSocketAddress(host, 0), Protocol.COAP);
        endpoints.addEndpoint(new InetSocketAddress(host, 0), Protocol.COAPS);
        LeshanBootstrapServerBuilder builder = new LeshanBootstrapServerBuilder();
        builder.setConfigStore(configs);
        builder.setSecurityStore(store());
        if (options.get("--private", null) != null) {
            builder.setPrivateKey(Secrets.privateKey(options.get("--private", null)));
            builder.setCertificateChain(Secrets.certificates(options.get("--certificate", null)));
            builder.setTrustedCertificates(Secrets.certificates(options.get("--trust", null)));
        }
        builder.setEndpointsProviders(endpoints.build());
        server = builder.build();
        server.addListener(sessionEvents());
    }

    public static void main(String[] args) throws Exception {
        BootstrapServer me = new BootstrapServer(new Options(args));
        me.server.start();
        ObjectNode ready = me.lines.object();
        ready.put("uri", me.server.getEndpoint(Protocol.COAP).getURI().toString());
        ready.put("secure", me.server.getEndpoint(Protocol.COAPS).getURI().toString());
        me.lines.event("ready", ready);
        me.lines.serve(me::handle);
        me.server.destroy();
        System.exit(0);
    }

    private BootstrapSecurityStore store() {
        return new BootstrapSecurityStore() {
            @Override
            public Iterator<SecurityInfo> getAllByEndpoint(String endpoint) {
                SecurityInfo info = credentials.get(endpoint);
                return info == null ? null : List.of(info).iterator();
            }

            @Override
            public SecurityInfo getByIdentity(String identity) {
                return credentials.values().stream().filter(info -> identity.equals(info.getPskIdentity())).findFirst()
                        .orElse(null);
            }

            @Override
            public SecurityInfo getByOscoreIdentity(OscoreIdentity identity) {
                return null;
            }
        };
    }

    private void tell(String name, BootstrapSession session, ObjectNode line) {
        line.put("endpoint", session.getEndpoint());
        lines.event(name, line);
    }

    private static String code(LwM2mResponse response) {
        int code = response.getCode().getCode();
        return code / 100 + "." + String.format("%02d", code % 100);
    }

    private ObjectNode answered(BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
        return lines.object().put("request", request.getClass().getSimpleName()).put("path", String.valueOf(request.getPath()))
                .put("code", code(response)).put("message", response.getErrorMessage());
    }

    private BootstrapSessionListener sessionEvents() {
        return new BootstrapSessionListener() {
            @Override
            public void sessionInitiated(BootstrapRequest request, LwM2mPeer client) {}

            @Override
            public void unAuthorized(BootstrapRequest request, LwM2mPeer client) {
                lines.event("unauthorized", lines.object().put("endpoint", request.getEndpointName()));
            }

            @Override
            public void authorized(BootstrapSession session) {
                BootstrapRequest request = session.getBootstrapRequest();
                ContentFormat preferred = request.getPreferredContentFormat();
                tell("requested", session, lines.object().put("pct", preferred == null ? -1 : preferred.getCode()));
            }

            @Override
            public void noConfig(BootstrapSession session) {
                tell("noConfig", session, lines.object());
            }

            @Override
            public void sendRequest(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request) {}

            @Override
            public void onResponseSuccess(BootstrapSession session,
                    BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
                tell("answered", session, answered(request, response));
            }

            @Override
            public void onResponseError(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request,
                    LwM2mResponse response) {
                tell("answered", session, answered(request, response));
            }

            @Override
            public void onRequestFailure(BootstrapSession session,
                    BootstrapDownlinkRequest<? extends LwM2mResponse> request, Throwable cause) {
                tell("unanswered", session, lines.object().put("cause", String.valueOf(cause)));
            }

            @Override
            public void end(BootstrapSession session) {
                tell("finished", session, lines.object());
            }

            @Override
            public void failed(BootstrapSession session, BootstrapFailureCause cause) {
                tell("failed", session, lines.object().put("cause", String.valueOf(cause)));
            }
        };
    }

    /** The account as JSON has it: mode, and what the device is to have with it. */
    private static BootstrapConfig.ServerSecurity security(JsonNode account) throws Exception {
        var out = new BootstrapConfig.ServerSecurity();
        out.uri = account.get("uri").asText();
        out.serverId = account.get("ssid").asInt();
        out.bootstrapServer = false;
        switch (account.get("mode").asText()) {
        case "psk":
            out.securityMode = SecurityMode.PSK;
            out.publicKeyOrId = account.get("identity").asText().getBytes(StandardCharsets.UTF_8);
            out.secretKey = Secrets.hex(account.get("key").asText());
            break;
        case "rpk":
            out.securityMode = SecurityMode.RPK;
            out.publicKeyOrId = Secrets.bytes(account.get("public").asText());
            out.secretKey = Secrets.bytes(account.get("private").asText());
            out.serverPublicKey = Secrets.bytes(account.get("serverPublic").asText());
            break;
        case "x509":
            out.securityMode = SecurityMode.X509;
            out.publicKeyOrId = Secrets.bytes(account.get("certificate").asText());
            out.secretKey = Secrets.bytes(account.get("private").asText());
            out.serverPublicKey = Secrets.bytes(account.get("serverCertificate").asText());
            out.certificateUsage = CertificateUsage.DOMAIN_ISSUER_CERTIFICATE;
            break;
        default:
            out.securityMode = SecurityMode.NO_SEC;
        }
        return out;
    }

    private static BootstrapConfig config(JsonNode request) throws Exception {
        JsonNode account = request.get("account");
        var out = new BootstrapConfig();
        out.autoIdForSecurityObject = true;
        out.toDelete = List.of("/0", "/1");
        if (request.has("format")) {
            out.contentFormat = ContentFormat.fromCode(request.get("format").asInt());
        }
        out.security.put(0, security(account));
        var one = new BootstrapConfig.ServerConfig();
        one.shortId = account.get("ssid").asInt();
        one.lifetime = Integer.parseInt(account.path("lifetime").asText(LIFETIME));
        one.binding = EnumSet.of(BindingMode.U);
        out.servers.put(0, one);
        return out;
    }

    private void handle(JsonNode request, ObjectNode answer) throws Exception {
        String endpoint = request.path("endpoint").asText();
        switch (request.get("op").asText()) {
        case "config":
            configs.remove(endpoint);
            configs.add(endpoint, config(request));
            break;
        case "secure":
            credentials.put(endpoint, switch (request.get("mode").asText()) {
            case "psk" -> SecurityInfo.newPreSharedKeyInfo(endpoint, request.get("identity").asText(),
                    Secrets.hex(request.get("key").asText()));
            case "rpk" -> SecurityInfo.newRawPublicKeyInfo(endpoint,
                    Secrets.publicKey(Secrets.bytes(request.get("public").asText())));
            default -> SecurityInfo.newX509CertInfo(endpoint);
            });
            break;
        default:
            throw new IllegalArgumentException("no operation " + request);
        }
    }
}
