package dev.terrace.blob.s3;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.BlobStoreProvider;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

/** Whoever has the module and no bucket does not pay for the SDK: nothing of it is loaded, not even looked for. */
class ProviderWithoutSdkTest {
    @Test
    void isFoundWhereTheSdkIsMissing() throws IOException {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!entry.contains("awssdk")) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        try (URLClassLoader loader =
                new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Class<?> service = Class.forName(BlobStoreProvider.class.getName(), true, loader);
            List<String> found = new ArrayList<>();
            for (Object provider : ServiceLoader.load(service, loader)) {
                found.add(provider.getClass().getSimpleName());
            }
            assertThat(found).contains("S3BlobStoreProvider");
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
