// SPDX-License-Identifier: Apache-2.0
// Reads what the security options name: keys and certificates in files (PEM or DER), secrets in hex.
package interop;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;

final class Secrets {
    private static final Pattern PEM = Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END");

    private Secrets() {}

    static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }

    /** The parts of a PEM file, in order; a DER file is one part. */
    static List<byte[]> parts(String path) throws Exception {
        byte[] data = Files.readAllBytes(Path.of(path));
        List<byte[]> out = new ArrayList<>();
        var matcher = PEM.matcher(new String(data, StandardCharsets.ISO_8859_1));
        while (matcher.find()) {
            if (!matcher.group(1).endsWith("PARAMETERS")) {
                out.add(Base64.getMimeDecoder().decode(matcher.group(2).trim()));
            }
        }
        if (out.isEmpty()) {
            out.add(data);
        }
        return out;
    }

    static byte[] bytes(String path) throws Exception {
        return parts(path).get(0);
    }

    static X509Certificate[] certificates(String path) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List<X509Certificate> out = new ArrayList<>();
        for (byte[] part : parts(path)) {
            out.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(part)));
        }
        return out.toArray(new X509Certificate[0]);
    }

    /** A private key in PKCS#8. */
    static PrivateKey privateKey(String path) throws Exception {
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(bytes(path)));
    }

    static PublicKey publicKey(byte[] subjectPublicKeyInfo) throws Exception {
        return KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(subjectPublicKeyInfo));
    }
}
