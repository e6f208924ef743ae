// SPDX-License-Identifier: Apache-2.0
// What both Leshan programs take on their command line: --name value, and the object definitions to load.
package interop;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.eclipse.leshan.core.LwM2m.LwM2mVersion;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;

final class Options {
    private final Map<String, String> values = new HashMap<>();
    private final List<Path> models = new ArrayList<>();

    Options(String[] args) {
        for (int i = 0; i + 1 < args.length; i += 2) {
            if (args[i].equals("--model")) {
                models.add(Path.of(args[i + 1]));
            } else {
                values.put(args[i], args[i + 1]);
            }
        }
    }

    String get(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    /** Those that Leshan ships for an LwM2M version, and those named on the command line. */
    List<ObjectModel> objectModels(LwM2mVersion version) throws Exception {
        List<ObjectModel> all = new ArrayList<>(version == null ? ObjectLoader.loadAllDefault() : ObjectLoader.loadDefault(version));
        for (Path path : models) {
            try (var in = Files.newInputStream(path)) {
                all.addAll(ObjectLoader.loadDdfFile(in, path.toString()));
            }
        }
        return all;
    }

    /** A block size asked for with --block, room for large values, and what there is of DTLS: --suites NAME,…, --retransmissions N. */
    void configure(Configuration configuration) {
        configuration.set(CoapConfig.MAX_RESOURCE_BODY_SIZE, 200_000);
        String block = get("--block", null);
        if (block != null) {
            configuration.set(CoapConfig.PREFERRED_BLOCK_SIZE, Integer.parseInt(block));
            configuration.set(CoapConfig.MAX_MESSAGE_SIZE, Integer.parseInt(block));
        }
        String retransmissions = get("--retransmissions", null);
        if (retransmissions != null) {
            configuration.set(DtlsConfig.DTLS_MAX_RETRANSMISSIONS, Integer.parseInt(retransmissions));
        }
        String suites = get("--suites", null);
        if (suites != null) {
            configuration.set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, false);
            configuration.set(DtlsConfig.DTLS_CIPHER_SUITES, CipherSuite.getTypesByNames(suites.split(",")));
        }
    }
}
