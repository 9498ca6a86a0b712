/**
 * A repository of backups in a {@link dev.terrace.spi.BlobStore}: signed generations in one chain per writer, how they are found,
 * published, pruned and verified. Nothing here knows RocksDB. The protocol and why it is safe stand in ADR 0014, the bytes in
 * {@code docs/format-repository.md}.
 *
 * <p>{@link dev.terrace.tier.backup.repo.Repository} is where to begin: {@link dev.terrace.tier.backup.repo.ChainWriter} adds to a chain,
 * {@link dev.terrace.tier.backup.repo.Pruner} removes what no restore point needs, {@link dev.terrace.tier.backup.repo.Verifier} reads
 * everything back, {@link dev.terrace.tier.backup.repo.Chain} is how readers find their way.
 */
package dev.terrace.tier.backup.repo;
