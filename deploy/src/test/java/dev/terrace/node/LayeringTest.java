package dev.terrace.node;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The picture in ARCHITECTURE.md, executable: arrows point down only. */
@AnalyzeClasses(packages = "dev.terrace", importOptions = ImportOption.DoNotIncludeTests.class)
class LayeringTest {
    @ArchTest
    static final ArchRule ARROWS_POINT_DOWN_ONLY = layeredArchitecture()
            .consideringOnlyDependenciesInAnyPackage("dev.terrace..")
            .layer("node")
            .definedBy("dev.terrace.node..")
            .layer("core")
            .definedBy("dev.terrace.core..")
            .layer("failover policy")
            .definedBy("dev.terrace.failover..")
            .layer("replication")
            .definedBy("dev.terrace.replication..")
            .layer("tier local")
            .definedBy("dev.terrace.tier.local..")
            .layer("tier redis")
            .definedBy("dev.terrace.tier.redis..")
            .layer("tier backup")
            .definedBy("dev.terrace.tier.backup..")
            .optionalLayer("backplane jgroups")
            .definedBy("dev.terrace.backplane.jgroups..")
            .optionalLayer("blob s3")
            .definedBy("dev.terrace.blob.s3..")
            .layer("config")
            .definedBy("dev.terrace.config..")
            .layer("api")
            .definedBy("dev.terrace.api..", "dev.terrace.spi..")
            .layer("testkit")
            .definedBy("dev.terrace.testkit..")
            .whereLayer("node")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("core")
            .mayOnlyBeAccessedByLayers("node")
            .whereLayer("failover policy")
            .mayOnlyBeAccessedByLayers("core", "node")
            .whereLayer("replication")
            .mayOnlyBeAccessedByLayers("core", "node")
            .whereLayer("tier local")
            .mayOnlyBeAccessedByLayers("node")
            .whereLayer("tier redis")
            .mayOnlyBeAccessedByLayers("node")
            .whereLayer("tier backup")
            .mayOnlyBeAccessedByLayers("node")
            .whereLayer("backplane jgroups")
            .mayOnlyBeAccessedByLayers("node")
            .whereLayer("blob s3")
            .mayOnlyBeAccessedByLayers("node")
            .whereLayer("testkit")
            .mayNotBeAccessedByAnyLayer();

    @ArchTest
    static final ArchRule OPENHFT_STAYS_IN_TIER_LOCAL = onlyIn("dev.terrace.tier.local..", "net.openhft..");

    @ArchTest
    static final ArchRule JFFI_STAYS_IN_TIER_LOCAL = onlyIn("dev.terrace.tier.local..", "com.kenai..");

    @ArchTest
    static final ArchRule REDISSON_STAYS_IN_TIER_REDIS = onlyIn("dev.terrace.tier.redis..", "org.redisson..");

    @ArchTest
    static final ArchRule ROCKSDB_STAYS_IN_TIER_BACKUP = onlyIn("dev.terrace.tier.backup..", "org.rocksdb..");

    @ArchTest
    static final ArchRule AWS_STAYS_IN_BLOB_S3 = onlyIn("dev.terrace.blob.s3..", "software.amazon..");

    @ArchTest
    static final ArchRule JGROUPS_STAYS_IN_ITS_BACKPLANE = onlyIn("dev.terrace.backplane.jgroups..", "org.jgroups..");

    @ArchTest
    static final ArchRule RESILIENCE4J_STAYS_IN_FAILOVER_POLICY =
            onlyIn("dev.terrace.failover..", "io.github.resilience4j..");

    @ArchTest
    static final ArchRule NO_JAVA_SERIALIZATION =
            noClasses().should().dependOnClassesThat().haveFullyQualifiedName("java.io.ObjectInputStream");

    @ArchTest
    static final ArchRule TIME_COMES_FROM_THE_CLOCK_PORT = noClasses()
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(java.time.Instant.class, "now")
            .because("time is a constructor argument: java.time.InstantSource");

    private static ArchRule onlyIn(String home, String vendor) {
        return noClasses()
                .that()
                .resideInAPackage("dev.terrace..")
                .and()
                .resideOutsideOfPackage(home)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(vendor);
    }
}
