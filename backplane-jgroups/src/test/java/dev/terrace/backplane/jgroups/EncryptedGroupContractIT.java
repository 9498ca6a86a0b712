package dev.terrace.backplane.jgroups;

import dev.terrace.config.Secret;

/** The group with a secret. */
class EncryptedGroupContractIT extends GroupContractIT {
    @Override
    Secret secret() {
        return new Secret("correct horse battery staple");
    }
}
