package dev.terrace.tier.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.tier.redis.Scripts.Script;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What nodes of all builds must agree on: the zone's record and the digests that follow from it. */
class FencedScriptsTest {
    private static final String ID = "0123456789abcdef0123456789abcdef01234567";
    private static final String OTHER_ID = "89abcdef0123456789abcdef0123456789abcdef";

    private static Incarnation incarnation(String token, List<String> runs, List<String> histories) {
        return new Incarnation("a", token, runs, histories);
    }

    private static FencedScripts scripts(Incarnation incarnation, String record) {
        return FencedScripts.of(incarnation, record);
    }

    private static List<String> digests(FencedScripts scripts) {
        return scripts.all().stream().map(Script::digest).toList();
    }

    /** Other digests mean that nodes of the build before take the zone for forgetful, and the other way round. */
    @Test
    void theDigestsOfAnIncarnationArePinned() {
        assertThat(digests(scripts(incarnation("t", List.of(ID), List.of(OTHER_ID)), "{terrace:zone}")))
                .containsExactly(
                        "2f92198c8415813b8507d6b0872992c084b8b78b",
                        "9fb48502f4a6c70fce9df13b2586caea70c764d2",
                        "d0ac5ec89ded36e22ddf60a5df7ce5e17a3338f9",
                        "bfaa2576ed30860051554a4d2cfdacbf07943a6a",
                        "5f4c58980ae64bd8685efc08d2eac6a74bd227e6",
                        "647a99f56b9032eab834d465b7a59d50852af110");
    }

    @Test
    void everyIncarnationHasDigestsOfItsOwn() {
        Set<String> seen = new HashSet<>();
        List<Incarnation> all = List.of(
                incarnation("t", List.of(), List.of(ID)),
                incarnation("u", List.of(), List.of(ID)),
                incarnation("t", List.of(ID), List.of(ID)),
                incarnation("t", List.of(), List.of(OTHER_ID)),
                incarnation("t", List.of(), List.of(ID, OTHER_ID)),
                new Incarnation("b", "t", List.of(), List.of(ID)));
        for (Incarnation one : all) {
            for (String record : List.of("", "{terrace:zone}")) {
                for (Script script : scripts(one, record).all()) {
                    assertThat(seen.add(script.digest()))
                            .as("%s %s", one, record)
                            .isTrue();
                    assertThat(script.text()).doesNotContain("@");
                }
            }
        }
        assertThat(seen).doesNotContain(FencedScripts.RESTORE.digest());
    }

    @Test
    void aFillingsScriptIsOfOneServerInOneLife() {
        Set<String> seen = new HashSet<>();
        for (String zone : List.of("a", "b")) {
            for (String run : List.of(ID, OTHER_ID)) {
                for (String history : List.of(ID, OTHER_ID)) {
                    Script script = FencedScripts.filling(zone, run, history);
                    assertThat(seen.add(script.digest())).isTrue();
                    assertThat(script.text()).doesNotContain("@").contains("run_id:" + run, "master_replid:" + history);
                }
            }
        }
        assertThat(FencedScripts.filling("a", ID, OTHER_ID).digest())
                .as("pinned: other digests end the fillings of nodes of the build before")
                .isEqualTo("687d062d584cb40ab9f273d74cf02f14ece62b62");
        assertThat(seen)
                .doesNotContainAnyElementsOf(
                        digests(scripts(incarnation("being filled", List.of(ID), List.of(ID)), "")));
    }

    @Test
    void aRecordIsReadBackAsItWasWritten() {
        Incarnation one = incarnation("token-1", List.of(OTHER_ID, ID), List.of(OTHER_ID, ID));
        assertThat(one.text())
                .isEqualTo("terrace-zone 1\na\ntoken-1\n" + ID + "," + OTHER_ID + "\n" + ID + "," + OTHER_ID + "\n");
        assertThat(Incarnation.parse(one.text())).isEqualTo(one);
        Incarnation without = incarnation("token-1", List.of(), List.of(ID));
        assertThat(Incarnation.parse(without.text())).isEqualTo(without);
    }

    @Test
    void whatIsNoRecordIsNotRead() {
        String sound = incarnation("t", List.of(ID), List.of(ID)).text();
        for (String wrong : List.of(
                "",
                "\n\n\n\n\n",
                sound + "\n",
                sound.replace("zone 1", "zone 2"),
                sound.replace("\nt\n", "\nt t\n"),
                sound.replace("\nt\n", "\n'] or true\n"),
                sound.replace("\na\n", "\n\n"),
                sound.replace(ID, ID.substring(1)),
                sound.replace(ID, "'" + ID.substring(1)))) {
            assertThat(Incarnation.parse(wrong)).as(wrong).isNull();
        }
    }
}
