package dev.terrace.config;

import dev.terrace.config.BackupStorageSettings.Backend;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Turns {@code backup_storage.object_storage} into its record. */
final class ObjectStorageBinder {
    private static final String KEY = "object_storage";
    private static final URI NOWHERE = URI.create("file:/");

    private static final int MOST_RECIPIENTS = 32;
    private static final String RECIPIENT = "terrace-recipient-1:[A-Za-z0-9_-]{1622}";

    private ObjectStorageBinder() {}

    /** Null when the section is absent. */
    static @Nullable ObjectStorageSettings bind(Section around, Backend backend) {
        Section in = around.section(KEY);
        ObjectStorageSettings d = ObjectStorageSettings.of(NOWHERE);
        boolean google = backend == Backend.GCS;
        URI url = place(in, "url");
        if (around.has(KEY) && !in.hasValue("url")) {
            in.wrong("url", "is needed: file:/folder or s3://bucket/prefix", "");
        }
        URI endpoint = endpoint(in);
        String region = in.optionalText("region");
        ObjectStorageSettings settings = new ObjectStorageSettings(
                url == null ? NOWHERE : url,
                endpoint == null && google ? ObjectStorageSettings.GOOGLE : endpoint,
                region == null && google ? "auto" : region,
                in.flag("path_style", d.pathStyle()),
                in.choice("credentials", ObjectStorageSettings.Credentials.class, d.credentials()),
                in.secret("access_key"),
                in.secret("secret_key"),
                in.optionalText("profile"),
                storageClass(in),
                in.choice("encryption", ObjectStorageSettings.Encryption.class, d.encryption()),
                in.optionalText("kms_key"),
                place(in, "anchor"),
                recipients(in),
                in.duration("timeout", d.timeout(), Duration.ofMillis(100), Duration.ofMinutes(10)),
                (int) in.number("parallel", d.parallel(), 1, 64),
                // S3 takes no smaller parts, but for the last.
                (int) in.mebibytes("part_mb", d.partMib(), 5, 512),
                (int) in.number("max_mb_per_second", d.maxMibPerSecond(), 0, 100_000));
        in.finish();
        return around.has(KEY) ? settings : null;
    }

    private static List<String> recipients(Section in) {
        List<Section.Item> items = in.items("sealed_to");
        List<String> recipients = new ArrayList<>();
        for (Section.Item item : items == null ? List.<Section.Item>of() : items) {
            if (item.text().matches(RECIPIENT)) {
                recipients.add(item.text());
            } else {
                in.wrong(item, "must be what terrace keys recipient printed, which begins with terrace-recipient-1:");
            }
        }
        if (recipients.size() > MOST_RECIPIENTS) {
            in.wrong("sealed_to", "must be at most " + MOST_RECIPIENTS + " recipients", "");
        }
        return recipients;
    }

    private static @Nullable URI place(Section in, String key) {
        String text = in.optionalText(key);
        URI url = parse(text);
        if (text == null) {
            return null;
        }
        String scheme = url == null ? "" : ObjectStorageSettings.scheme(url);
        boolean folder = scheme.equals("file")
                && url != null
                && url.getAuthority() == null
                && plain(url)
                && !rooted(url).isEmpty();
        boolean bucket = scheme.equals("s3") && url != null && url.getHost() != null && plain(url) && url.getPort() < 0;
        if (!folder && !bucket) {
            in.wrong(key, "must be file:/folder or s3://bucket/prefix", "");
            return null;
        }
        return url;
    }

    private static String rooted(URI url) {
        String path = url.getPath();
        return path == null || !path.startsWith("/") ? "" : path;
    }

    private static @Nullable URI endpoint(Section in) {
        String text = in.optionalText("endpoint");
        URI url = parse(text);
        if (text == null) {
            return null;
        }
        String scheme = url == null ? "" : ObjectStorageSettings.scheme(url);
        if (url == null || url.getHost() == null || !plain(url) || !scheme.equals("https") && !scheme.equals("http")) {
            in.wrong("endpoint", "must be http:// or https:// and a host", "");
            return null;
        }
        return url;
    }

    /** Without what would be a login, or would be dropped. */
    private static boolean plain(URI url) {
        return url.getRawUserInfo() == null && url.getRawQuery() == null && url.getRawFragment() == null;
    }

    private static @Nullable String storageClass(Section in) {
        String text = in.optionalText("storage_class");
        if (text != null && !text.toUpperCase(Locale.ROOT).matches("[A-Z0-9_]{1,64}")) {
            in.wrong("storage_class", "must be a word such as STANDARD_IA", "");
            return null;
        }
        return text == null ? null : text.toUpperCase(Locale.ROOT);
    }

    private static @Nullable URI parse(@Nullable String text) {
        try {
            return text == null ? null : new URI(text);
        } catch (URISyntaxException e) {
            // The caller reports it without the parser's words, which repeat what may be secret.
            return null;
        }
    }
}
