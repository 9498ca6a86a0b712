package dev.terrace.benchmarks;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/** Answers of an API as JSON, about 1 KiB each: a common shape, words from small vocabularies, numbers and texts that differ. */
final class Documents {
    private static final String[] CITIES = {
        "Amsterdam", "Berlin", "Chennai", "Dakar", "Edinburgh", "Fukuoka", "Geneva", "Helsinki", "Istanbul", "Jakarta"
    };
    private static final String[] SYLLABLES = {
        "ba", "cor", "den", "fi", "gal", "hu", "jo", "kem", "lin", "mo", "nar", "pe", "ros", "sil", "ta", "ver"
    };
    private static final int WORDS = 1_024;

    private Documents() {}

    /** Document number {@code i}; the same whenever it is asked for. */
    static byte[] document(int i) {
        // Scrambled, because seeds in steps of the golden gamma give one stream, shifted.
        long seed = (i + 1) * 0xBF58476D1CE4E5B9L;
        seed = (seed ^ seed >>> 29) * 0x94D049BB133111EBL;
        SplittableRandom random = new SplittableRandom(seed ^ seed >>> 32);
        StringBuilder out = new StringBuilder(1_200);
        out.append("{\"id\":\"prd-").append(Long.toHexString(random.nextLong() >>> 16));
        out.append("\",\"sku\":").append(random.nextInt(10_000_000));
        out.append(",\"name\":\"").append(words(random, 3)).append("\",\"description\":\"");
        out.append(words(random, 28 + random.nextInt(24))).append("\",\"price\":{\"amount\":");
        out.append(random.nextInt(100_000)).append(",\"currency\":\"").append(random.nextInt(4) == 0 ? "USD" : "EUR");
        out.append("\",\"discount_percent\":").append(random.nextInt(40)).append("},\"stock\":[");
        int shops = 2 + random.nextInt(3);
        for (int shop = 0; shop < shops; shop++) {
            out.append(shop == 0 ? "" : ",").append("{\"warehouse\":\"").append(CITIES[random.nextInt(CITIES.length)]);
            out.append("\",\"available\":").append(random.nextInt(5_000)).append(",\"reserved\":");
            out.append(random.nextInt(100))
                    .append(",\"restock_at\":\"2026-")
                    .append(10 + random.nextInt(3))
                    .append('-');
            out.append(10 + random.nextInt(18))
                    .append("T0")
                    .append(random.nextInt(10))
                    .append(":00:00Z\"}");
        }
        out.append("],\"rating\":{\"average\":")
                .append(random.nextInt(50) / 10.0)
                .append(",\"count\":");
        out.append(random.nextInt(20_000)).append("},\"links\":{\"self\":\"https://api.example.com/v2/products/");
        out.append(random.nextInt(10_000_000)).append("\",\"image\":\"https://cdn.example.com/images/");
        out.append(Long.toHexString(random.nextLong()))
                .append(".webp\"},\"etag\":\"")
                .append(Long.toHexString(random.nextLong()))
                .append("\",\"updated_at\":\"2026-11-21T");
        out.append(10 + random.nextInt(14))
                .append(':')
                .append(10 + random.nextInt(50))
                .append(":00Z\",\"active\":");
        out.append(random.nextBoolean())
                .append(",\"tags\":[\"")
                .append(words(random, 1))
                .append("\",\"");
        out.append(words(random, 1)).append("\"]}");
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String words(SplittableRandom random, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(word(random.nextInt(WORDS)));
        }
        return text.toString();
    }

    /** Of two or three syllables. */
    private static String word(int number) {
        String two = SYLLABLES[number & 15] + SYLLABLES[number >>> 4 & 15];
        int third = number >>> 8;
        return third == 0 ? two : two + SYLLABLES[third * 5];
    }
}
