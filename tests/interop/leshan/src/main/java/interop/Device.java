// SPDX-License-Identifier: Apache-2.0
// A Leshan LwM2M device with objects 1, 3, 3303 and 33500, driven by JSON lines: "set" changes a value, "stop"
// de-registers, "send" sends values by itself. Options: --endpoint NAME --server URI [--lifetime S] [--lwm2m 1.0]
// [--block SIZE] [--queue yes] (queue mode) [--firmware yes] (also object 5, which only keeps its package)
// [--model FILE.xml …]
// Security: --psk HEX --identity TEXT; or --private FILE with --public FILE --server-public FILE (raw public keys) or with
// --certificate FILE --server-certificate FILE --usage N [--sni NAME] [--trust FILE] (X.509); [--suites NAME,…];
// [--bootstrap yes]: the server is a bootstrap server, and there is no other account. [--reconnect yes]: each update begins with a handshake, which resumes the session.
package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import org.eclipse.leshan.client.EndpointsManager;
import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.LeshanClientBuilder;
import org.eclipse.leshan.client.bootstrap.BootstrapHandler;
import org.eclipse.leshan.client.californium.endpoint.CaliforniumClientEndpointsProvider;
import org.eclipse.leshan.client.californium.endpoint.coap.CoapClientProtocolProvider;
import org.eclipse.leshan.client.californium.endpoint.coaps.CoapsClientProtocolProvider;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.engine.RegistrationEngine;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.observer.LwM2mClientObserver;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.request.UplinkRequestSender;
import org.eclipse.leshan.client.resource.LwM2mInstanceEnabler;
import org.eclipse.leshan.client.resource.LwM2mObjectTree;
import org.eclipse.leshan.client.resource.LwM2mInstanceEnablerFactory;
import org.eclipse.leshan.client.resource.BaseInstanceEnablerFactory;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.resource.SimpleInstanceEnabler;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.client.util.LinkFormatHelper;
import org.eclipse.leshan.core.LwM2m.LwM2mVersion;
import org.eclipse.leshan.core.LwM2mId;
import org.eclipse.leshan.core.ResponseCode;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.node.LwM2mMultipleResource;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.DeregisterRequest;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.UpdateRequest;
import org.eclipse.leshan.core.request.UplinkRequest;
import org.eclipse.leshan.core.request.argument.Arguments;
import org.eclipse.leshan.core.response.ErrorCallback;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.ResponseCallback;
import org.eclipse.leshan.core.response.SendResponse;
import org.eclipse.leshan.core.response.WriteResponse;
import org.eclipse.leshan.core.util.datatype.ULong;
import org.eclipse.leshan.core.model.ObjectModel;

public final class Device {
    private static final long SEND_TIMEOUT_MS = 20_000;

    private final Lines lines = new Lines();
    private final LwM2mVersion version;
    private final EnumSet<BindingMode> binding;
    private final LeshanClient client;

    /** An instance that keeps what is written to it and tells what is executed; values come from "set" or a Create. */
    private final class Data extends SimpleInstanceEnabler {
        Data() {}

        Data(int id) {
            super(id);
        }

        @Override
        public void setModel(ObjectModel model) {
            // Without the values that the parent invents for all: what is optional and was not set is absent.
            this.model = model;
            model.resources.values().stream().filter(r -> r.mandatory && r.operations.isReadable()).forEach(
                    r -> resources.put(r.id, initializeResource(model, r)));
            if (model.id == LwM2mId.DEVICE) {
                resources.put(16, LwM2mSingleResource.newStringResource(16, "U"));
            }
        }

        void set(LwM2mResource resource) {
            resources.put(resource.getId(), resource);
            fireResourceChange(resource.getId());
        }

        @Override
        public WriteResponse write(LwM2mServer server, boolean replace, int id, LwM2mResource resource) {
            LwM2mResource before = resources.get(id);
            if (before != null && before.isMultiInstances() && !replace) {
                Map<Integer, Object> merged = new HashMap<>();
                before.getInstances().forEach((key, value) -> merged.put(key, value.getValue()));
                resource.getInstances().forEach((key, value) -> merged.put(key, value.getValue()));
                resource = LwM2mMultipleResource.newResource(id, merged, resource.getType());
            }
            set(resource);
            return WriteResponse.success();
        }

        @Override
        public ReadResponse read(LwM2mServer server, int id) {
            LwM2mResource resource = resources.get(id);
            return resource == null ? ReadResponse.notFound() : ReadResponse.success(resource);
        }

        @Override
        public List<Integer> getAvailableResourceIds(ObjectModel model) {
            List<Integer> ids = new ArrayList<>(resources.keySet());
            model.resources.values().stream().filter(r -> r.operations.isExecutable()).forEach(r -> ids.add(r.id));
            ids.sort(null);
            return ids;
        }

        @Override
        public ExecuteResponse execute(LwM2mServer server, int id, Arguments arguments) {
            ObjectNode event = lines.object();
            event.put("path", getResourcePath(id).toString()).put("args",
                    arguments == null || arguments.isEmpty() ? "" : arguments.serialize());
            lines.event("executed", event);
            return ExecuteResponse.success();
        }

        @Override
        public void onDelete(LwM2mServer server) {
            lines.event("deleted", lines.object().put("path", "/" + model.id + "/" + id));
        }
    }

    /** Announces LwM2M 1.0 and its binding, which Leshan's engine itself can't, by changing the Register on its way. */
    private final class OldVersion implements UplinkRequestSender {
        private final UplinkRequestSender sender;

        OldVersion(UplinkRequestSender sender) {
            this.sender = sender;
        }

        @SuppressWarnings("unchecked")
        private <T extends LwM2mResponse> UplinkRequest<T> change(UplinkRequest<T> request) {
            if (!(request instanceof RegisterRequest register)) {
                return request;
            }
            return (UplinkRequest<T>) new RegisterRequest(register.getEndpointName(), register.getLifetime(),
                    version.toString(), binding, null, register.getSmsNumber(), register.getObjectLinks(),
                    register.getAdditionalAttributes());
        }

        @Override
        public <T extends LwM2mResponse> T send(LwM2mServer server, UplinkRequest<T> request, long timeout)
                throws InterruptedException {
            return sender.send(server, change(request), timeout);
        }

        @Override
        public <T extends LwM2mResponse> void send(LwM2mServer server, UplinkRequest<T> request, long timeout,
                ResponseCallback<T> done, ErrorCallback failed) {
            sender.send(server, change(request), timeout, done, failed);
        }
    }

    private final class Engines extends DefaultRegistrationEngineFactory {
        @Override
        public RegistrationEngine createRegistratioEngine(String endpoint, LwM2mObjectTree tree, EndpointsManager manager,
                UplinkRequestSender sender, BootstrapHandler bootstrap, LwM2mClientObserver observer,
                Map<String, String> attributes, Map<String, String> bootstrapAttributes, Set<ContentFormat> formats,
                ScheduledExecutorService executor, LinkFormatHelper links) {
            UplinkRequestSender used = version.equals(LwM2mVersion.V1_0) ? new OldVersion(sender) : sender;
            return super.createRegistratioEngine(endpoint, tree, manager, used, bootstrap, observer, attributes,
                    bootstrapAttributes, formats, executor, links);
        }
    }

    private Device(Options options) throws Exception {
        version = LwM2mVersion.get(options.get("--lwm2m", "1.1"));
        String uri = options.get("--server", null);
        List<ObjectModel> models = options.objectModels(version);
        if (version.equals(LwM2mVersion.V1_0)) {
            // Leshan's Security Object is that of 1.1, whatever the version; no server gets to see it.
            models.removeIf(model -> model.id == LwM2mId.SECURITY);
            models.addAll(ObjectLoader.loadDefault(LwM2mVersion.V1_1).stream()
                    .filter(model -> model.id == LwM2mId.SECURITY).toList());
        }
        var objects = new ObjectsInitializer(new StaticModel(models));
        boolean queue = options.get("--queue", null) != null;
        // LwM2M 1.0 says queue mode in its binding, later versions by a parameter of their own.
        binding = queue && version.equals(LwM2mVersion.V1_0) ? EnumSet.of(BindingMode.U, BindingMode.Q)
                : EnumSet.of(BindingMode.U);
        boolean bootstrap = options.get("--bootstrap", null) != null;
        objects.setInstancesForObject(0, bootstrap ? bootstrapSecurity(uri, options) : security(uri, options));
        objects.setClassForObject(1, org.eclipse.leshan.client.object.Server.class);
        if (!bootstrap) {
            objects.setInstancesForObject(1, new org.eclipse.leshan.client.object.Server(123,
                    Long.parseLong(options.get("--lifetime", "300")), binding, false, BindingMode.U));
        }
        LwM2mInstanceEnablerFactory factory = new BaseInstanceEnablerFactory() {
            @Override
            public LwM2mInstanceEnabler create() {
                return new Data();
            }
        };
        int[] dataObjects = options.get("--firmware", null) != null ? new int[] {3, 5, 3303, 33500} : new int[] {3, 3303, 33500};
        for (int id : dataObjects) {
            objects.setInstancesForObject(id, new Data(0));
            objects.setFactoryForObject(id, factory);
        }
        if (version.equals(LwM2mVersion.V1_0)) {
            for (int id : new int[] {0, 1, 3, 3303, 33500}) {
                objects.setDefaultContentFormat(id, ContentFormat.TLV);
            }
        }
        var endpoints = new CaliforniumClientEndpointsProvider.Builder(new CoapClientProtocolProvider(),
                new CoapsClientProtocolProvider());
        var configuration = endpoints.createDefaultConfiguration();
        options.configure(configuration);
        endpoints.setConfiguration(configuration);
        endpoints.setClientAddress(InetAddress.getByName(uri.contains("[") ? "::1" : "127.0.0.1"));
        Engines engines = new Engines();
        engines.setRequestTimeoutInMs(20_000).setDeregistrationTimeoutInMs(10_000).setQueueMode(queue)
                .setReconnectOnUpdate(options.get("--reconnect", null) != null).setResumeOnConnect(true);
        LeshanClientBuilder builder = new LeshanClientBuilder(options.get("--endpoint", "leshan")).setObjects(objects.createAll())
                .setEndpointsProviders(endpoints.build()).setRegistrationEngineFactory(engines);
        if (options.get("--trust", null) != null) {
            builder.setTrustStore(List.of(Secrets.certificates(options.get("--trust", null))));
        }
        client = builder.build();
        client.addObserver(registrationEvents());
    }

    private static Security bootstrapSecurity(String uri, Options options) throws Exception {
        if (options.get("--psk", null) != null) {
            return Security.pskBootstrap(uri, options.get("--identity", "").getBytes(StandardCharsets.UTF_8),
                    Secrets.hex(options.get("--psk", null)));
        }
        String own = options.get("--private", null);
        if (own == null) {
            return Security.noSecBootstrap(uri);
        }
        if (options.get("--public", null) != null) {
            return Security.rpkBootstrap(uri, Secrets.bytes(options.get("--public", null)), Secrets.bytes(own),
                    Secrets.bytes(options.get("--server-public", null)));
        }
        return Security.x509Bootstrap(uri, Secrets.bytes(options.get("--certificate", null)), Secrets.bytes(own),
                Secrets.bytes(options.get("--server-certificate", null)));
    }

    private static Security security(String uri, Options options) throws Exception {
        if (options.get("--psk", null) != null) {
            return Security.psk(uri, 123, options.get("--identity", "").getBytes(StandardCharsets.UTF_8),
                    Secrets.hex(options.get("--psk", null)));
        }
        String own = options.get("--private", null);
        if (own == null) {
            return Security.noSec(uri, 123);
        }
        if (options.get("--public", null) != null) {
            return Security.rpk(uri, 123, Secrets.bytes(options.get("--public", null)), Secrets.bytes(own),
                    Secrets.bytes(options.get("--server-public", null)));
        }
        ULong usage = ULong.valueOf(Integer.parseInt(options.get("--usage", "3")));
        return Security.x509(uri, 123, Secrets.bytes(options.get("--certificate", null)), Secrets.bytes(own),
                Secrets.bytes(options.get("--server-certificate", null)), usage, options.get("--sni", null));
    }

    public static void main(String[] args) throws Exception {
        Device me = new Device(new Options(args));
        me.lines.event("ready", me.lines.object());
        me.lines.serve(me::handle);
        me.client.destroy(false);
        System.exit(0);
    }

    private LwM2mClientObserver registrationEvents() {
        return new LwM2mClientObserverAdapter() {
            @Override
            public void onBootstrapSuccess(LwM2mServer server, BootstrapRequest request) {
                lines.event("bootstrapped", lines.object());
            }

            @Override
            public void onBootstrapFailure(LwM2mServer server, BootstrapRequest request, ResponseCode code, String message,
                    Exception cause) {
                lines.event("bootstrapFailed", lines.object().put("code", String.valueOf(code)).put("message", message)
                        .put("cause", String.valueOf(cause)));
            }

            @Override
            public void onBootstrapTimeout(LwM2mServer server, BootstrapRequest request) {
                lines.event("bootstrapFailed", lines.object().put("code", "timeout"));
            }

            @Override
            public void onRegistrationSuccess(LwM2mServer server, RegisterRequest request, String id) {
                lines.event("registered", lines.object().put("registrationId", id));
            }

            @Override
            public void onRegistrationFailure(LwM2mServer server, RegisterRequest request, ResponseCode code, String message,
                    Exception cause) {
                lines.event("registrationFailed", lines.object().put("code", String.valueOf(code)).put("message", message)
                        .put("cause", String.valueOf(cause)));
            }

            @Override
            public void onRegistrationTimeout(LwM2mServer server, RegisterRequest request) {
                lines.event("registrationFailed", lines.object().put("code", "timeout"));
            }

            @Override
            public void onUpdateSuccess(LwM2mServer server, UpdateRequest request) {
                lines.event("updated", lines.object().put("lifetime", request.getLifeTimeInSec()));
            }

            @Override
            public void onUpdateFailure(LwM2mServer server, UpdateRequest request, ResponseCode code, String message,
                    Exception cause) {
                lines.event("updateFailed", lines.object().put("code", String.valueOf(code)).put("message", message));
            }

            @Override
            public void onDeregistrationSuccess(LwM2mServer server, DeregisterRequest request) {
                lines.event("deregistered", lines.object());
            }

            @Override
            public void onUnexpectedError(Throwable error) {
                lines.event("unexpectedError", lines.object().put("error", String.valueOf(error)));
            }
        };
    }

    private Data instance(LwM2mPath path) {
        var object = (org.eclipse.leshan.client.resource.ObjectEnabler) client.getObjectTree()
                .getObjectEnabler(path.getObjectId());
        return (Data) object.getInstance(path.getObjectInstanceId());
    }

    private void handle(JsonNode request, ObjectNode answer) throws Exception {
        switch (request.get("op").asText()) {
        case "start":
            client.start();
            break;
        case "stop":
            client.stop(true);
            break;
        case "update":
            client.triggerRegistrationUpdate();
            break;
        case "send": {
            List<String> paths = new ArrayList<>();
            request.get("paths").forEach(path -> paths.add(path.asText()));
            var server = client.getRegisteredServers().values().iterator().next();
            SendResponse response = client.getSendService().sendData(server,
                    ContentFormat.fromCode(request.get("format").asInt()), paths, SEND_TIMEOUT_MS);
            int code = response == null ? 0 : response.getCode().getCode();
            answer.put("code", code / 100 + "." + String.format("%02d", code % 100));
            break;
        }
        case "set": {
            LwM2mPath path = new LwM2mPath(request.get("path").asText());
            instance(path).set(Nodes.resource(path.getResourceId(), request.get("node")));
            break;
        }
        case "get": {
            LwM2mPath path = new LwM2mPath(request.get("path").asText());
            ReadResponse response = instance(path).read(LwM2mServer.SYSTEM, path.getResourceId());
            if (response.isSuccess()) {
                answer.set("node", Nodes.toJson(response.getContent()));
            }
            break;
        }
        default:
            throw new IllegalArgumentException("no operation " + request);
        }
    }
}
