package dev.terrace.examples.optimizer;

import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * The example as one program: the API, a Redis, a folder, Terrace before the API, visitors, and a page that shows all of it.
 * {@code docs/degradation.md} tells how to run it and how to break it.
 */
public final class ApiOptimizer implements AutoCloseable {
    private static final int PORT = 8090;
    private static final int READS_PER_SECOND = 400;

    private final Surroundings surroundings;
    private final CacheCoordinator terrace;
    private final Visitors visitors;
    private final Pages pages;

    /**
     * Starts everything, and has everybody look at every rate once.
     *
     * @param port where the page is, on loopback; 0 for any free port
     * @param readsPerSecond how much visitors read, 1 to 100,000
     */
    public ApiOptimizer(int port, int readsPerSecond) throws IOException, InterruptedException {
        surroundings = new Surroundings();
        Board board = new Board();
        terrace = CacheCoordinator.builder()
                .settings(SettingsLoader.parse(
                                settings(),
                                "terrace.yaml",
                                Map.of(
                                        "REDIS_ADDRESS",
                                        surroundings.redisAddress(),
                                        "BACKUP_PATH",
                                        surroundings.disk().resolve("backup").toString()))
                        .settings())
                .ladderListener(board)
                .build();
        Rates rates = new Rates(terrace, surroundings.api().address());
        visitors = new Visitors(rates, readsPerSecond, terrace.metrics());
        pages = new Pages(
                port, rates, surroundings, terrace.metrics(), () -> board.tree(terrace, surroundings.api(), visitors));
        visitors.warmUp();
        visitors.start();
    }

    private static String settings() throws IOException {
        try (InputStream file = ApiOptimizer.class.getResourceAsStream("terrace.yaml")) {
            if (file == null) {
                throw new IOException("terrace.yaml is not on the class path");
            }
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Where the page is. */
    public int port() {
        return pages.port();
    }

    @Override
    public void close() throws IOException {
        visitors.close();
        pages.close();
        terrace.close();
        surroundings.close();
    }

    /** Runs until Ctrl-C. Takes the port and the reads a second, both optional. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        int port = number(arguments, 0, PORT, 0, 65_535, "the port");
        int readsPerSecond = number(arguments, 1, READS_PER_SECOND, 1, 100_000, "reads a second");
        ApiOptimizer running = new ApiOptimizer(port, readsPerSecond);
        CountDownLatch told = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                running.close();
            } catch (IOException e) {
                System.err.println("not all of it could be cleaned up: " + e);
            }
        }));
        System.out.println("API optimizer: http://127.0.0.1:" + running.port() + "/  (Ctrl-C stops it)");
        System.out.println("Now break things, from another terminal: examples/api-optimizer/break-things.sh"
                + (running.port() == PORT ? "" : " with OPTIMIZER=127.0.0.1:" + running.port()));
        told.await();
    }

    private static int number(String[] arguments, int index, int otherwise, int least, int most, String what) {
        if (index >= arguments.length) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(arguments[index]);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below, with what is allowed.
        }
        System.err.println(
                what + " must be a number from " + least + " to " + most + ", not '" + arguments[index] + "'");
        System.exit(2);
        return otherwise;
    }
}
