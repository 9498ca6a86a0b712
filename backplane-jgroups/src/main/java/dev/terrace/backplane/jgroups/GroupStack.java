package dev.terrace.backplane.jgroups;

import dev.terrace.config.HostAndPort;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jgroups.JChannel;
import org.jgroups.protocols.FD_ALL3;
import org.jgroups.protocols.FRAG4;
import org.jgroups.protocols.MERGE3;
import org.jgroups.protocols.MFC;
import org.jgroups.protocols.RSVP;
import org.jgroups.protocols.SYM_ENCRYPT;
import org.jgroups.protocols.TCP;
import org.jgroups.protocols.TCPPING;
import org.jgroups.protocols.UFC;
import org.jgroups.protocols.UNICAST3;
import org.jgroups.protocols.VERIFY_SUSPECT2;
import org.jgroups.protocols.dns.DNS_PING;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.protocols.pbcast.NAKACK2;
import org.jgroups.protocols.pbcast.STABLE;
import org.jgroups.stack.Protocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The protocols, from the wire up. One port per node; no multicast, no diagnostics socket. */
final class GroupStack {
    private static final Logger LOG = LoggerFactory.getLogger(GroupStack.class);
    private static final int MOST_THREADS = 8;
    private static final int LONGEST_MESSAGE_BYTES = 4 * 1024 * 1024;
    private static final long CREDIT_BYTES = 2_000_000;

    private GroupStack() {}

    static JChannel channel(GroupPlan settings, Seal seal) throws Exception {
        long silence = Math.max(300, settings.silence().toMillis());
        TCP tcp = new TCP();
        tcp.setBindAddress(InetAddress.getByName(settings.bind()));
        tcp.setBindPort(settings.port());
        tcp.setPortRange(0);
        // A notice is short and must not wait for more.
        tcp.tcpNodelay(true);
        tcp.setSockConnTimeout(300);
        tcp.setMaxLength(LONGEST_MESSAGE_BYTES);
        tcp.getThreadPool().setMinThreads(1).setMaxThreads(MOST_THREADS);

        List<Protocol> stack = new ArrayList<>();
        stack.add(tcp);
        stack.add(discovery(settings));
        stack.add(new MERGE3().setMinInterval(500).setMaxInterval(Math.max(1_000, silence)));
        stack.add(new FD_ALL3().setTimeout(silence).setInterval(silence / 4));
        stack.add(new VERIFY_SUSPECT2().setTimeout(silence / 4));
        if (seal.cipherKey() != null) {
            SYM_ENCRYPT encryption = new SYM_ENCRYPT().setSecretKey(seal.cipherKey());
            encryption.symAlgorithm("AES/CBC/PKCS5Padding");
            encryption.symIvLength(16);
            stack.add(encryption);
        }
        stack.add(new NAKACK2().useMcastXmit(false).setXmitInterval(100));
        stack.add(new UNICAST3().setXmitInterval(100));
        stack.add(new STABLE());
        stack.add(new GMS().setJoinTimeout(500).setLeaveTimeout(500).printLocalAddress(false));
        stack.add(new UFC().setMaxCredits(CREDIT_BYTES).setMaxBlockTime(500));
        stack.add(new MFC().setMaxCredits(CREDIT_BYTES).setMaxBlockTime(500));
        stack.add(new FRAG4());
        // Only what a leaving coordinator asks last is answered, once all before it has been passed on.
        long patience = settings.timeout().toMillis();
        stack.add(new RSVP()
                .setTimeout(patience)
                .setResendInterval(Math.max(1, patience / 4))
                .throwExceptionOnTimeout(false)
                .ackOnDelivery(true));
        JChannel channel = new JChannel(stack);
        // There from now on, and not started before connecting.
        tcp.getDiagnosticsHandler().setEnabled(false);
        return channel;
    }

    private static Protocol discovery(GroupPlan settings) {
        if (settings.dns() != null) {
            if (!isKnown(settings.dns())) {
                LOG.warn("the group's DNS name has no addresses, this node begins alone name={}", settings.dns());
            }
            return new DNS_PING().setDNSQuery(settings.dns());
        }
        List<InetSocketAddress> hosts = new ArrayList<>();
        for (HostAndPort member : settings.members()) {
            InetSocketAddress host = new InetSocketAddress(member.host(), member.port());
            if (host.isUnresolved()) {
                // It may not have been started yet, and will find this node when it is.
                LOG.warn("there is no address for a member of the group, it is left out host={}", member.host());
            } else {
                hosts.add(host);
            }
        }
        return new TCPPING().initialHosts(hosts).setPortRange(0);
    }

    /** The name may be several, with commas between. */
    private static boolean isKnown(String names) {
        for (String name : names.split(",")) {
            if (!new InetSocketAddress(name.strip(), 1).isUnresolved()) {
                return true;
            }
        }
        return false;
    }
}
