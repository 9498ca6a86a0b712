package dev.terrace.testkit.history;

import java.util.List;
import java.util.TreeSet;

/**
 * Draws operations one a line with bars that show what overlaps what. Only the order of moments counts, not their
 * distance; {@code ~} at the end of a bar stands for an operation that never returned.
 */
final class Timeline {
    private static final int MOST_DRAWN = 60;
    private static final int WIDEST_TEXT = 100;

    private Timeline() {}

    static String draw(List<Operation> operations) {
        List<Operation> drawn = operations.subList(0, Math.min(MOST_DRAWN, operations.size()));
        TreeSet<Long> moments = new TreeSet<>();
        int width = 0;
        for (Operation operation : drawn) {
            moments.add(operation.invokeNanos());
            if (operation.returnNanos() != Operation.OPEN) {
                moments.add(operation.returnNanos());
            }
            width = Math.max(width, Math.min(WIDEST_TEXT, operation.toString().length()));
        }
        List<Long> columns = List.copyOf(moments);
        int each = columns.size() > 40 ? 1 : 2;
        StringBuilder text = new StringBuilder();
        for (Operation operation : drawn) {
            String line = operation.toString();
            text.append("  ").append(line).append(" ".repeat(Math.max(0, width - line.length()) + 2));
            int from = columns.indexOf(operation.invokeNanos()) * each;
            boolean open = operation.returnNanos() == Operation.OPEN;
            int to = (open ? columns.size() : columns.indexOf(operation.returnNanos())) * each;
            text.append(" ".repeat(from))
                    .append('|')
                    .append("-".repeat(Math.max(0, to - from - 1)))
                    .append(open ? "~" : "|")
                    .append('\n');
        }
        if (drawn.size() < operations.size()) {
            text.append("  ... and ").append(operations.size() - drawn.size()).append(" more\n");
        }
        return text.toString();
    }
}
