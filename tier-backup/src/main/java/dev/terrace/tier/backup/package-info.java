/**
 * L3 on RocksDB: compressed, encrypted, kept in time partitions.
 *
 * <p>{@link dev.terrace.tier.backup.RocksTierProvider} opens it; {@link dev.terrace.tier.backup.BackupKeystore} makes the
 * key file it may need. Inside, {@code RocksTier} is what callers see, {@code Writer} the one thread that decides and
 * writes, {@code Partitions} and {@code Database} the only classes that touch RocksDB, {@code Records} the form of a
 * record, {@code Folder} and {@code KeyFile} what lies beside the database. Every byte on disk is described in
 * {@code docs/format.md}.
 */
package dev.terrace.tier.backup;
