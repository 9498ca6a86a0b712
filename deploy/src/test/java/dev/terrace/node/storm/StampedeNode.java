package dev.terrace.node.storm;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/**
 * A cache node in a process of its own, with an origin behind HTTP. Understands {@code crowd CACHE KEY CALLERS URL}: so many callers at once
 * want the key, whose loader asks the address.
 */
final class StampedeNode {
    private final CacheCoordinator coordinator;
    private final HttpClient http = HttpClient.newHttpClient();

    private StampedeNode(CacheCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    /** Runs until standard input ends. */
    public static void main(String[] arguments) throws Exception {
        Requests.serve(() -> {
            CacheCoordinator coordinator = CacheCoordinator.open(
                    SettingsLoader.read(Path.of(arguments[0]), Map.of()).settings());
            return new Requests.Store(new StampedeNode(coordinator)::carryOut, coordinator);
        });
    }

    private String carryOut(String[] words) {
        Cache<String, String> cache = coordinator.cache(words[2], Codecs.stringKey(), Codecs.string());
        int callers = Integer.parseInt(words[4]);
        List<CompletableFuture<String>> answers = new ArrayList<>(callers);
        for (int i = 0; i < callers; i++) {
            answers.add(cache.async().get(words[3], key -> ask(words[5] + key)).toCompletableFuture());
        }
        Set<String> values = answers.stream().map(CompletableFuture::join).collect(Collectors.toSet());
        return answers.size() + "\t" + String.join(",", values);
    }

    private String ask(String address) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address)).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
}
