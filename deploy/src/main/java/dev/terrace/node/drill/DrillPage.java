package dev.terrace.node.drill;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A report as one HTML page with a chart of what happened when. Nothing is loaded from elsewhere; well-formed as XML. */
final class DrillPage {
    private static final int WIDTH = 960;
    private static final int LABELS = 240;
    private static final int ROW = 24;
    private static final int TRAFFIC = 90;
    private static final int TICKS = 8;
    private static final String STYLE = """
            :root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6b7b; --line: #d7dee5; --paper: #fff;
              --bar: #3b7dd8; --bad: #c9382b; --good: #1f8a4c; --calls: #9cc3f2; }
            @media (prefers-color-scheme: dark) { :root { --ink: #e7edf3; --soft: #9fb0c0; --line: #34414e; --paper: #151b21;
              --bar: #5b9bf0; --bad: #ef6a5c; --good: #4cc27f; --calls: #2f5f99; } }
            body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto;
              padding: 0 1rem; }
            h1 { margin-bottom: 0; } .about { color: var(--soft); margin-top: .2rem; }
            .verdict { font-weight: 600; } .met { color: var(--good); } .missed { color: var(--bad); }
            table { border-collapse: collapse; width: 100%; margin: 1rem 0; } th, td { text-align: left; padding: .3rem .6rem .3rem 0;
              border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
            svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
            svg .soft { fill: var(--soft); } .bar { fill: var(--bar); } .bar.failed { fill: var(--bad); }
            .answered { fill: var(--calls); } .unanswered { fill: var(--bad); } .grid { stroke: var(--line); }
            .broken { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 5 3; } svg .broken-label { fill: var(--bad); }
            """;

    private final DrillReport report;
    private final StringBuilder page = new StringBuilder();

    private DrillPage(DrillReport report) {
        this.report = report;
    }

    static String of(DrillReport report) {
        DrillPage page = new DrillPage(report);
        page.write();
        return page.page.toString();
    }

    private void write() {
        String verdict = report.met() ? "met" : "missed";
        page.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>Drill ")
                .append(escape(report.drill()))
                .append("</title><style>")
                .append(STYLE)
                .append("</style></head><body>\n<h1>Drill ")
                .append(escape(report.drill()))
                .append("</h1><p class=\"about\">")
                .append(escape(report.about()))
                .append("</p>\n<p class=\"verdict ")
                .append(verdict)
                .append("\">Objectives ")
                .append(verdict)
                .append("</p>\n");
        if (!report.failure().isEmpty()) {
            page.append("<p class=\"missed\">").append(escape(report.failure())).append("</p>\n");
        }
        objectives();
        page.append("<h2>What happened when</h2>\n");
        chart();
        steps();
        table("Measured", report.measured());
        table("Deployment", report.deployment());
        page.append("<p class=\"about\">Began ")
                .append(escape(report.began().toString()))
                .append(", took ")
                .append(seconds(report.millis()))
                .append(", seed ")
                .append(report.seed())
                .append(". What is not in the table was not measured.</p>\n</body></html>\n");
    }

    private void objectives() {
        page.append(
                "<table><thead><tr><th>objective</th><th>asked for</th><th>measured</th><th></th></tr></thead><tbody>\n");
        for (DrillReport.Objective objective : report.objectives()) {
            String verdict = objective.met() ? "met" : "missed";
            page.append("<tr><td>")
                    .append(escape(objective.name()))
                    .append("</td><td>")
                    .append(escape(objective.limit()))
                    .append("</td><td>")
                    .append(escape(objective.measured()))
                    .append("</td><td class=\"")
                    .append(verdict)
                    .append("\">")
                    .append(verdict)
                    .append("</td></tr>\n");
        }
        page.append("</tbody></table>\n");
    }

    private double x(long millis) {
        return LABELS + (double) (WIDTH - LABELS - 60) * millis / Math.max(1, report.millis());
    }

    private void chart() {
        List<Timeline.Stage> stages = report.stages();
        int bars = 20 + stages.size() * ROW;
        int height = bars + (report.traffic().isEmpty() ? 0 : TRAFFIC + 20) + 24;
        page.append(format("<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"timeline\">%n", WIDTH, height));
        for (int tick = 0; tick <= TICKS; tick++) {
            long at = report.millis() * tick / TICKS;
            page.append(format(
                    "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"16\" y2=\"%d\"/><text class=\"soft\" x=\"%.1f\" y=\"12\" text-anchor=\"middle\">%s</text>%n",
                    x(at), x(at), height - 20, x(at), seconds(at)));
        }
        for (int i = 0; i < stages.size(); i++) {
            Timeline.Stage stage = stages.get(i);
            double from = x(stage.fromMillis());
            double to = Math.max(from + 2, x(stage.toMillis()));
            int y = 20 + i * ROW;
            page.append(format(
                    "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text><rect class=\"bar%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"><title>%s</title></rect><text class=\"soft\" x=\"%.1f\" y=\"%d\">%s</text>%n",
                    LABELS - 10,
                    y + 15,
                    escape(shortened(stage.name())),
                    stage.failed() ? " failed" : "",
                    from,
                    y + 3,
                    to - from,
                    ROW - 8,
                    escape(stage.detail()),
                    to + 4,
                    y + 15,
                    seconds(stage.toMillis() - stage.fromMillis())));
        }
        traffic(bars + 10);
        if (report.brokenMillis() >= 0) {
            double at = x(report.brokenMillis());
            page.append(format(
                    "<line class=\"broken\" x1=\"%.1f\" x2=\"%.1f\" y1=\"16\" y2=\"%d\"/><text class=\"broken-label\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">broken here</text>%n",
                    at, at, height - 20, at, height - 6));
        }
        page.append("</svg>\n");
    }

    /** Calls of live traffic: answered upwards, failed on top of them. */
    private void traffic(int top) {
        List<Traffic.Bucket> buckets = report.traffic();
        int most = buckets.stream()
                .mapToInt(bucket -> bucket.answered() + bucket.failed())
                .max()
                .orElse(0);
        if (most == 0) {
            return;
        }
        page.append(format(
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">calls, failed in red</text>%n",
                LABELS - 10, top + TRAFFIC / 2));
        double width = Math.max(1, x(250) - x(0) - 0.5);
        for (Traffic.Bucket bucket : buckets) {
            double answered = (double) TRAFFIC * bucket.answered() / most;
            double failed = (double) TRAFFIC * bucket.failed() / most;
            bar("answered", x(bucket.atMillis()), top + TRAFFIC - answered, width, answered);
            bar("unanswered", x(bucket.atMillis()), top + TRAFFIC - answered - failed, width, failed);
        }
    }

    private void bar(String kind, double x, double y, double width, double height) {
        if (height > 0) {
            page.append(format(
                    "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>%n",
                    kind, x, y, width, height));
        }
    }

    private void steps() {
        page.append("<table><thead><tr><th>from</th><th>to</th><th>step</th><th></th></tr></thead><tbody>\n");
        for (Timeline.Stage stage : report.stages()) {
            page.append(format(
                    "<tr%s><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>%n",
                    stage.failed() ? " class=\"missed\"" : "",
                    seconds(stage.fromMillis()),
                    seconds(stage.toMillis()),
                    escape(stage.name()),
                    escape(stage.detail())));
        }
        page.append("</tbody></table>\n");
    }

    private void table(String title, Map<String, Object> rows) {
        page.append("<h2>").append(title).append("</h2><table><tbody>\n");
        rows.forEach((name, value) -> page.append("<tr><th>")
                .append(escape(name.replace('_', ' ')))
                .append("</th><td>")
                .append(escape(String.valueOf(value)))
                .append("</td></tr>\n"));
        page.append("</tbody></table>\n");
    }

    private static String shortened(String name) {
        return name.length() <= 38 ? name : name.substring(0, 36) + "..";
    }

    private static String seconds(long millis) {
        return format("%.1f s", millis / 1000.0);
    }

    private static String format(String format, Object... parts) {
        return String.format(Locale.ROOT, format, parts);
    }

    /** For text and attributes; what XML forbids becomes a space. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default ->
                    escaped.appendCodePoint(
                            c >= ' ' && c < 0xD800 || c > 0xDFFF && c < 0xFFFE || c > 0xFFFF || c == '\n' || c == '\t'
                                    ? c
                                    : ' ');
            }
        });
        return escaped.toString();
    }
}
