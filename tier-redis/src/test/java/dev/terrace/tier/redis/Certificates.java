package dev.terrace.tier.redis;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A certificate authority for one test class, made with the JDK's keytool; certificates and keys as PEM files in a folder. */
final class Certificates {
    private static final char[] PASSWORD = "changeit".toCharArray();

    private final Path folder;
    private final Path authority;

    /** Certificate and key of one party. */
    record Identity(Path certificate, Path key) {}

    Certificates(Path folder, String name) {
        this.folder = folder.resolve(name);
        try {
            Files.createDirectories(this.folder);
            keytool(List.of("-genkeypair", "-alias", "ca", "-dname", "CN=" + name, "-ext", "bc:c"));
            authority =
                    write("ca.crt", "CERTIFICATE", load().getCertificate("ca").getEncoded());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** The authority's certificate. */
    Path authority() {
        return authority;
    }

    /**
     * A certificate by this authority.
     *
     * @param subjectName the alternative name, such as {@code ip:127.0.0.1}
     * @param more further words for keytool, such as a start date
     */
    Identity identity(String alias, String subjectName, String... more) {
        try {
            List<String> words = new ArrayList<>(List.of(
                    "-genkeypair",
                    "-alias",
                    alias,
                    "-signer",
                    "ca",
                    "-dname",
                    "CN=" + alias,
                    "-ext",
                    "san=" + subjectName));
            words.addAll(List.of(more));
            keytool(words);
            Key key = load().getKey(alias, PASSWORD);
            return new Identity(
                    write(
                            alias + ".crt",
                            "CERTIFICATE",
                            load().getCertificate(alias).getEncoded()),
                    write(alias + ".key", "PRIVATE KEY", key.getEncoded()));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private Path store() {
        return folder.resolve("store.p12");
    }

    private KeyStore load() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store())) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    private Path write(String name, String label, byte[] der) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return Files.writeString(
                folder.resolve(name),
                "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n",
                StandardCharsets.US_ASCII);
    }

    private void keytool(List<String> words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"));
        command.addAll(words);
        command.addAll(
                List.of("-keystore", store().toString(), "-storetype", "PKCS12", "-storepass", new String(PASSWORD)));
        command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
        if (!words.contains("-validity")) {
            command.addAll(List.of("-validity", "2"));
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IllegalStateException("keytool " + words + ": " + said);
        }
    }
}
