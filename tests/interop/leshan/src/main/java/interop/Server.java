// SPDX-License-Identifier: Apache-2.0
// A Leshan LwM2M server on a free port, driven by JSON lines. Options: --model FILE.xml (repeatable), --block SIZE,
// --awake MS (how long a device in queue mode is taken to listen), --host ADDRESS, --private FILE --certificate CHAIN --trust FILE
// (its key and certificates, and the roots of its devices), --suites NAME,…; "secure" adds the credential of a device.
package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConfig.DtlsRole;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.link.DefaultLinkSerializer;
import org.eclipse.leshan.core.link.lwm2m.attributes.DefaultLwM2mAttributeParser;
import org.eclipse.leshan.core.link.lwm2m.attributes.LwM2mAttributeSet;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mRoot;
import org.eclipse.leshan.core.node.TimestampedLwM2mNodes;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.CancelCompositeObservationRequest;
import org.eclipse.leshan.core.request.CancelObservationRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.CreateRequest;
import org.eclipse.leshan.core.request.DeleteRequest;
import org.eclipse.leshan.core.request.DiscoverRequest;
import org.eclipse.leshan.core.request.DownlinkRequest;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ObserveCompositeRequest;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadCompositeRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.SendRequest;
import org.eclipse.leshan.core.request.WriteAttributesRequest;
import org.eclipse.leshan.core.request.WriteCompositeRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.response.CreateResponse;
import org.eclipse.leshan.core.response.DiscoverResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadCompositeResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.californium.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.server.californium.endpoint.coap.CoapServerProtocolProvider;
import org.eclipse.leshan.server.californium.endpoint.coaps.CoapsServerProtocolProvider;
import org.eclipse.leshan.server.model.VersionedModelProvider;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.queue.PresenceListener;
import org.eclipse.leshan.server.queue.StaticClientAwakeTimeProvider;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.security.EditableSecurityStore;
import org.eclipse.leshan.server.security.InMemorySecurityStore;
import org.eclipse.leshan.server.security.SecurityInfo;
import org.eclipse.leshan.server.send.SendListener;

public final class Server {
    private final Lines lines = new Lines();
    private final Map<String, SingleObservation> observations = new ConcurrentHashMap<>();
    private final Map<String, CompositeObservation> composites = new ConcurrentHashMap<>();
    private final Map<String, Map<LwM2mPath, LwM2mNode>> sent = new ConcurrentHashMap<>();
    private final EditableSecurityStore security = new InMemorySecurityStore();
    private final LeshanServer server;

    private Server(Options options) throws Exception {
        var endpoints = new CaliforniumServerEndpointsProvider.Builder(new CoapServerProtocolProvider(),
                new CoapsServerProtocolProvider());
        var configuration = endpoints.createDefaultConfiguration();
        options.configure(configuration);
        configuration.set(DtlsConfig.DTLS_ROLE, DtlsRole.SERVER_ONLY);
        endpoints.setConfiguration(configuration);
        InetAddress host = InetAddress.getByName(options.get("--host", "127.0.0.1"));
        endpoints.addEndpoint(new InetSocketAddress(host, 0), Protocol.COAP);
        endpoints.addEndpoint(new InetSocketAddress(host, 0), Protocol.COAPS);
        LeshanServerBuilder builder = new LeshanServerBuilder();
        builder.setSecurityStore(security);
        if (options.get("--private", null) != null) {
            builder.setPrivateKey(Secrets.privateKey(options.get("--private", null)));
            builder.setCertificateChain(Secrets.certificates(options.get("--certificate", null)));
            builder.setTrustedCertificates(Secrets.certificates(options.get("--trust", null)));
        }
        builder.setEndpointsProviders(endpoints.build());
        builder.setObjectModelProvider(new VersionedModelProvider(options.objectModels(null)));
        builder.setClientAwakeTimeProvider(new StaticClientAwakeTimeProvider(Integer.parseInt(options.get("--awake", "93000"))));
        server = builder.build();
        server.getRegistrationService().addListener(registrationEvents());
        server.getObservationService().addListener(observationEvents());
        server.getSendService().addListener(sendEvents());
        server.getPresenceService().addListener(presenceEvents());
    }

    public static void main(String[] args) throws Exception {
        Server me = new Server(new Options(args));
        me.server.start();
        ObjectNode ready = me.lines.object();
        ready.put("uri", me.server.getEndpoint(Protocol.COAP).getURI().toString());
        ready.put("secure", me.server.getEndpoint(Protocol.COAPS).getURI().toString());
        me.lines.event("ready", ready);
        me.lines.serve(me::handle);
        me.server.destroy();
        System.exit(0);
    }

    private ObjectNode describe(Registration registration) {
        ObjectNode out = lines.object();
        out.put("endpoint", registration.getEndpoint());
        out.put("identity", String.valueOf(registration.getClientTransportData().getIdentity()));
        out.put("registrationId", registration.getId());
        out.put("lifetime", registration.getLifeTimeInSec());
        out.put("lwm2m", registration.getLwM2mVersion().toString());
        out.put("binding", registration.getBindingMode() == null ? null : registration.getBindingMode().toString());
        out.put("queueMode", registration.getQueueMode());
        out.put("rootPath", registration.getRootPath());
        out.put("links", new DefaultLinkSerializer().serializeCoreLinkFormat(registration.getSortedObjectLinks()));
        var formats = out.putArray("contentFormats");
        registration.getSupportedContentFormats().stream().map(ContentFormat::getCode).sorted().forEach(formats::add);
        return out;
    }

    private RegistrationListener registrationEvents() {
        return new RegistrationListener() {
            @Override
            public void registered(Registration registration, Registration previous, Collection<Observation> gone) {
                lines.event("registered", describe(registration));
            }

            @Override
            public void updated(RegistrationUpdate update, Registration updated, Registration previous) {
                lines.event("updated", describe(updated));
            }

            @Override
            public void unregistered(Registration old, Collection<Observation> gone, boolean expired, Registration next) {
                ObjectNode event = describe(old);
                event.put("expired", expired);
                lines.event("unregistered", event);
            }
        };
    }

    private ObservationListener observationEvents() {
        return new ObservationListener() {
            @Override
            public void newObservation(Observation observation, Registration registration) {}

            @Override
            public void cancelled(Observation observation) {}

            @Override
            public void onResponse(SingleObservation observation, Registration registration, ObserveResponse response) {
                ObjectNode event = lines.object();
                event.put("endpoint", registration.getEndpoint()).put("path", observation.getPath().toString());
                fill(response, event);
                lines.event("notification", event);
            }

            @Override
            public void onResponse(CompositeObservation observation, Registration registration,
                    ObserveCompositeResponse response) {
                ObjectNode event = lines.object().put("endpoint", registration.getEndpoint());
                var paths = event.putArray("paths");
                observation.getPaths().forEach(path -> paths.add(path.toString()));
                fill(response, event);
                lines.event("compositeNotification", event);
            }

            @Override
            public void onError(Observation observation, Registration registration, Exception error) {
                lines.event("notificationError", lines.object().put("error", String.valueOf(error)));
            }
        };
    }

    /** Keeps the newest Send of each device, for the operation "sent". */
    private SendListener sendEvents() {
        return new SendListener() {
            @Override
            public void dataReceived(Registration registration, TimestampedLwM2mNodes data, SendRequest request) {
                sent.put(registration.getEndpoint(), data.getNodes());
                lines.event("send", lines.object().put("endpoint", registration.getEndpoint()));
            }

            @Override
            public void onError(Registration registration, String message, Exception error) {
                lines.event("sendError", lines.object().put("error", String.valueOf(error)));
            }
        };
    }

    private PresenceListener presenceEvents() {
        return new PresenceListener() {
            @Override
            public void onAwake(Registration registration) {
                lines.event("awake", lines.object().put("endpoint", registration.getEndpoint()));
            }

            @Override
            public void onSleeping(Registration registration) {
                lines.event("sleeping", lines.object().put("endpoint", registration.getEndpoint()));
            }
        };
    }

    private void put(Map<LwM2mPath, LwM2mNode> nodes, ObjectNode out) {
        var list = out.putArray("nodes");
        nodes.forEach((path, node) -> {
            if (node instanceof LwM2mRoot root) {
                root.getObjects().forEach((id, object) ->
                        list.addObject().put("path", "/" + id).set("node", Nodes.toJson(object)));
                return;
            }
            list.addObject().put("path", path.toString()).set("node", node == null ? null : Nodes.toJson(node));
        });
    }

    private void fill(LwM2mResponse response, ObjectNode out) {
        int code = response.getCode().getCode();
        out.put("code", code / 100 + "." + String.format("%02d", code % 100));
        if (response.getErrorMessage() != null) {
            out.put("message", response.getErrorMessage());
        }
        if (response.getCoapResponse() instanceof org.eclipse.californium.core.coap.Response coap) {
            out.put("contentFormat", coap.getOptions().getContentFormat());
            out.put("size", coap.getPayloadSize());
        }
        if (response instanceof ReadResponse read && read.getContent() != null) {
            out.set("node", Nodes.toJson(read.getContent()));
        } else if (response instanceof ReadCompositeResponse read && read.getContent() != null) {
            put(read.getContent(), out);
        } else if (response instanceof DiscoverResponse discover && discover.getObjectLinks() != null) {
            out.put("links", new DefaultLinkSerializer().serializeCoreLinkFormat(discover.getObjectLinks()));
        } else if (response instanceof CreateResponse create) {
            out.put("location", create.getLocation());
        }
    }

    private void handle(JsonNode request, ObjectNode answer) throws Exception {
        String op = request.get("op").asText();
        if (op.equals("list")) {
            var list = answer.putArray("clients");
            Iterator<Registration> all = server.getRegistrationService().getAllRegistrations();
            all.forEachRemaining(registration -> list.add(describe(registration)));
            return;
        }
        if (op.equals("secure")) {
            security.add(credential(request));
            return;
        }
        if (op.equals("unsecure")) {
            security.remove(request.get("endpoint").asText(), true);
            return;
        }
        Registration registration = server.getRegistrationService().getByEndpoint(request.get("endpoint").asText());
        if (registration == null) {
            answer.put("error", "not registered");
            return;
        }
        if (request.path("queued").asBoolean()) {
            throw new IllegalArgumentException("no operation for a device that sleeps");
        }
        if (op.equals("presence")) {
            answer.put("awake", server.getPresenceService().isClientAwake(registration));
            return;
        }
        if (op.equals("sent")) {
            put(sent.getOrDefault(registration.getEndpoint(), Map.of()), answer);
            answer.put("code", "2.05");
            return;
        }
        String path = op.endsWith("Composite") ? request.path("paths").toString() : request.get("path").asText();
        if (op.equals("forget")) {
            // The next notification is answered with a reset.
            server.getObservationService().cancelObservation(observations.remove(path));
            return;
        }
        LwM2mResponse response = server.send(registration, message(op, path, request), 20_000);
        if (response == null) {
            answer.put("error", "timeout");
            return;
        }
        if (op.equals("observe") && response instanceof ObserveResponse observe && observe.getObservation() != null) {
            observations.put(path, observe.getObservation());
        }
        if (op.equals("observeComposite") && response instanceof ObserveCompositeResponse observe
                && observe.getObservation() != null) {
            composites.put(path, observe.getObservation());
        }
        fill(response, answer);
    }

    /** {"mode":"psk","identity":…,"key":hex}, {"mode":"rpk","public":FILE} or {"mode":"x509"}, of an "endpoint". */
    private static SecurityInfo credential(JsonNode request) throws Exception {
        String endpoint = request.get("endpoint").asText();
        switch (request.get("mode").asText()) {
        case "psk":
            return SecurityInfo.newPreSharedKeyInfo(endpoint, request.get("identity").asText(),
                    Secrets.hex(request.get("key").asText()));
        case "rpk":
            return SecurityInfo.newRawPublicKeyInfo(endpoint,
                    Secrets.publicKey(Secrets.bytes(request.get("public").asText())));
        default:
            return SecurityInfo.newX509CertInfo(endpoint);
        }
    }

    private static List<LwM2mPath> paths(JsonNode request) {
        List<LwM2mPath> out = new ArrayList<>();
        request.get("paths").forEach(path -> out.add(new LwM2mPath(path.asText())));
        return out;
    }

    private DownlinkRequest<? extends LwM2mResponse> composite(String op, String key, ContentFormat format, JsonNode request) {
        switch (op) {
        case "readComposite":
            return new ReadCompositeRequest(paths(request), format, format, null);
        case "observeComposite":
            return new ObserveCompositeRequest(format, format, paths(request));
        case "cancelComposite":
            return new CancelCompositeObservationRequest(composites.remove(key));
        case "writeComposite": {
            Map<LwM2mPath, LwM2mNode> nodes = new LinkedHashMap<>();
            request.get("nodes").forEach(one -> {
                LwM2mPath path = new LwM2mPath(one.get("path").asText());
                nodes.put(path, Nodes.node(path, one.get("node")));
            });
            return new WriteCompositeRequest(format, nodes, null);
        }
        default:
            throw new IllegalArgumentException("no operation " + op);
        }
    }

    private DownlinkRequest<? extends LwM2mResponse> message(String op, String path, JsonNode request) throws Exception {
        ContentFormat format = request.has("format") ? ContentFormat.fromCode(request.get("format").asInt()) : null;
        switch (op) {
        case "read":
            return new ReadRequest(format, path);
        case "discover":
            return new DiscoverRequest(path);
        case "observe":
            return new ObserveRequest(format, path);
        case "cancel":
            return new CancelObservationRequest(observations.remove(path));
        case "execute":
            return request.has("args") ? new ExecuteRequest(path, request.get("args").asText()) : new ExecuteRequest(path);
        case "delete":
            return new DeleteRequest(path);
        case "attributes":
            return new WriteAttributesRequest(path, new LwM2mAttributeSet(
                    new DefaultLwM2mAttributeParser().parseUriQuery(request.get("query").asText())));
        case "write": {
            boolean update = request.path("mode").asText().equals("update");
            LwM2mPath target = new LwM2mPath(path);
            return new WriteRequest(update ? WriteRequest.Mode.UPDATE : WriteRequest.Mode.REPLACE, format, target,
                    Nodes.node(target, request.get("node")));
        }
        case "create": {
            int object = new LwM2mPath(path).getObjectId();
            List<LwM2mResource> resources = new ArrayList<>(Nodes.resources(request.get("node").get("resources")));
            return request.get("node").has("id")
                    ? new CreateRequest(format, object,
                            new LwM2mObjectInstance(request.get("node").get("id").intValue(), resources))
                    : new CreateRequest(format, object, resources);
        }
        default:
            return composite(op, path, format, request);
        }
    }
}
