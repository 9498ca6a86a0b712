package dev.terrace.testkit.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryTest {
    @TempDir
    Path folder;

    @Test
    void isTheSameAfterWritingAndReading() {
        Random random = new Random(3);
        History history = new RandomHistories(random).good("odd key \"\n\u20ac", 3, 200, 0.1, false, true);
        Path file = folder.resolve("history.jsonl");
        history.writeTo(file);
        assertThat(History.readFrom(file)).isEqualTo(history);
    }

    @Test
    void keepsTheShapeOfItsLines() throws IOException {
        Path file = folder.resolve("history.jsonl");
        Histories.of("A put 1 #3 @0-10", "B get=1~ #3 @5-20", "B cas! 4 5 @30-40", "A inv @50-?")
                .writeTo(file);
        assertThat(Files.readString(file)).isEqualTo("""
                        {"id":1,"process":"A","node":"A","op":"put","key":"k","value":"1","invoke":0,"return":10,"outcome":"ok","version":"00000000000300000000000000000001"}
                        {"id":2,"process":"B","node":"B","op":"get","key":"k","invoke":5,"return":20,"outcome":"ok","seen":"1","version":"00000000000300000000000000000001","fresh":false}
                        {"id":3,"process":"B","node":"B","op":"compare-and-set","key":"k","value":"5","expected":"4","invoke":30,"return":40,"outcome":"ok","applied":false}
                        {"id":4,"process":"A","node":"A","op":"invalidate","key":"k","invoke":50,"outcome":"unknown"}
                        """);
    }

    @Test
    void namesTheLineThatIsNoOperation() {
        assertThatThrownBy(() -> History.readFrom(new StringReader("\n{\"id\":1}\n")))
                .hasMessage("line 2 is no operation: 'op' is missing");
        assertThatThrownBy(() -> History.readFrom(new StringReader("nonsense"))).hasMessageStartingWith("line 1");
        Path absent = folder.resolve("absent");
        assertThatThrownBy(() -> History.readFrom(absent))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("absent");
    }

    @Test
    void recordsWithTheTimeItIsTold() {
        AtomicLong time = new AtomicLong(100);
        HistoryRecorder recorder = new HistoryRecorder(time::get);
        Pending put = recorder.begin("p", "n1", Op.put("k", "1"));
        time.set(200);
        assertThat(put.ok(Histories.version(4))).isTrue();
        recorder.beginAt("q", "n2", Op.get("k"), 250).at(300).ok("1", Histories.version(4));
        assertThat(recorder.history()).isEqualTo(Histories.of("p@n1 put 1 #4 @100-200", "q@n2 get=1 #4 @250-300"));
    }

    @Test
    void aProcessGoesOnUnderANewNameAfterAnUnknownOutcome() {
        HistoryRecorder recorder = new HistoryRecorder();
        Pending lost = recorder.begin("p", Op.put("k", "1"));
        lost.unknown();
        assertThat(lost.ok()).as("too late").isFalse();
        recorder.begin("p", Op.put("k", "2")).fail();
        recorder.begin("p", Op.put("k", "3"));
        assertThat(recorder.history().operations())
                .extracting(Operation::process, Operation::outcome)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("p", Outcome.UNKNOWN),
                        org.assertj.core.groups.Tuple.tuple("p#2", Outcome.FAIL),
                        org.assertj.core.groups.Tuple.tuple("p#2", Outcome.UNKNOWN));
        assertThat(recorder.history().operations())
                .extracting(Operation::session)
                .containsOnly("p");
    }

    @Test
    void aProcessDoesOneThingAtATime() {
        HistoryRecorder recorder = new HistoryRecorder();
        recorder.begin("p", Op.put("k", "1"));
        assertThatThrownBy(() -> recorder.begin("p", Op.get("k")))
                .hasMessageContaining("process 'p' begins get(k) before it has ended put(k, 1)");
    }

    @Test
    void manyProcessesRecordAtOnce() {
        HistoryRecorder recorder = new HistoryRecorder();
        List<CompletableFuture<Void>> running = new ArrayList<>();
        AtomicLong register = new AtomicLong();
        for (int p = 0; p < 4; p++) {
            String process = "p" + p;
            running.add(CompletableFuture.runAsync(() -> {
                for (int i = 0; i < 500; i++) {
                    Pending pending = recorder.begin(process, Op.increment("k", 1));
                    pending.ok(Long.toString(register.incrementAndGet()), null);
                }
            }));
        }
        running.forEach(CompletableFuture::join);
        History history = recorder.history();
        assertThat(history.size()).isEqualTo(2_000);
        new LinearizabilityChecker().check(history).require();
    }

    @Test
    void aReportHoldsSeedHistoryAndVerdict() throws IOException {
        History history = Histories.of("A put 1 #1 @0-10", "B get=- @20-30", "C put 2 @1-?");
        HistoryReport report = new HistoryReport("one run", history)
                .fact("seed", 42)
                .verdict("linearizable", HistoryReport.linearizable(history, CheckLimits.DEFAULT))
                .verdict("durable", new Verdict.Holds(1, 0))
                .writeTo(folder.resolve("report"));
        assertThatThrownBy(report::require).hasMessageContaining("must come before");
        assertThat(Files.readString(folder.resolve("report/verdict.txt")))
                .contains("one run", "operations: 3 {ok=2, fail=0, unknown=1}", "seed: 42", "durable: holds");
        assertThat(Files.readString(folder.resolve("report/verdict.json")))
                .contains("\"verdict\" : \"violated\"", "\"evidence\" : [ {");
        assertThat(History.readFrom(folder.resolve("report/history.jsonl"))).isEqualTo(history);
    }
}
