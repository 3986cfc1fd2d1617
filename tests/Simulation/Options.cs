namespace ControlPlane.Simulation;

/// <summary>
/// What a run is made of: sizes, and which faults there are and how strong. Chosen from the seed, so that some runs have
/// few faults that strike often and others many that strike seldom (swarm testing); 0 is off.
/// </summary>
public sealed record Options
{
    public int Nodes { get; init; } = 1;

    public int Hosts { get; init; } = 1;

    public int Vms { get; init; } = 2;

    /// <summary>Requests of each client.</summary>
    public int Requests { get; init; } = 12;

    public int Clients { get; init; } = 2;

    /// <summary>A peer connects NICs that others create.</summary>
    public bool Impatient { get; init; }

    /// <summary>How often another ready thing than the oldest is taken, in a thousand.</summary>
    public int Reorder { get; init; }

    public JournalFaults Journal { get; init; } = new();

    public NetworkFaults Network { get; init; } = new();

    public ClusterFaults Cluster { get; init; } = new();

    public HostFaults Host { get; init; } = new();

    public Wanted Wanted { get; init; } = new();

    /// <summary>The mean time between two faults that take something away for a while; null: there are none.</summary>
    public TimeSpan? TroubleEvery { get; init; }

    public static Options From(Choices luck)
    {
        int Strength(string name, int most) => luck.Next("swarm." + name, 3) switch
        {
            0 => 0,
            1 => Math.Max(1, most / 5),
            _ => most,
        };
        bool Has(string name) => luck.Next("swarm." + name, 2) == 1;
        var moves = Has("want.moves");
        return new Options
        {
            Nodes = 1 + luck.Next("swarm.nodes", 3),
            Hosts = 1 + luck.Next("swarm.hosts", 2) + (moves ? 1 : 0),
            Vms = 1 + luck.Next("swarm.vms", 3),
            Clients = 2 + luck.Next("swarm.clients", 2),
            Impatient = luck.Next("swarm.impatient", 4) == 1,
            Requests = 8 + luck.Next("swarm.requests", 13),
            Reorder = Strength("reorder", 300),
            Journal = new JournalFaults(Strength("journal.slow", 100), Strength("journal.rejected", 40), Strength("journal.lost", 40),
                Strength("journal.committed", 40), Strength("journal.late", 30), Strength("journal.snapshot", 200)),
            Network = new NetworkFaults(Strength("net.loss", 150), Strength("net.twice", 150), Strength("net.slow", 100), Strength("net.stall", 250),
                Strength("net.command-stall", 60)),
            Cluster = new ClusterFaults(Has("cluster.crash"), Has("cluster.pause"), Has("cluster.handover"), Has("cluster.twin"), Has("cluster.clock"), Has("cluster.cut"), Has("journal.away"),
                Has("cluster.journal-cut"), Has("cluster.peers-cut")),
            Host = new HostFaults(Has("host.crash"), Has("host.hang"), Has("host.drift"), Has("host.reboot"), Has("host.fences"), Has("host.cut"),
                Strength("driver.lost", 60), Strength("driver.twice", 60), Strength("driver.refused", 40), Strength("driver.frame", 400),
                Has("driver.fails")),
            Wanted = new Wanted(Has("want.properties"), Has("want.updates"), Has("want.data"), Has("want.cancels"), Has("want.guests"),
                Has("want.stack"), Has("want.switches"), Has("want.hosts"), moves, Joins: luck.Next("swarm.want.joins", 8) == 1),
            TroubleEvery = TimeSpan.FromSeconds(1 + luck.Next("swarm.trouble", 12)),
        };
    }
}

/// <summary>Of a thousand writes (snapshots: of a thousand reads of one).</summary>
/// <param name="Lost">The outcome is not known, and it is not stored.</param>
/// <param name="Committed">The outcome is not known, and it is stored.</param>
/// <param name="Late">The outcome is not known, and it is stored some time later, if its place is still free.</param>
public sealed record JournalFaults(int Slow = 0, int Rejected = 0, int Lost = 0, int Committed = 0, int Late = 0, int SnapshotLost = 0);

/// <summary>Of a thousand messages between programs.</summary>
/// <param name="Stall">Of a thousand hellos: it takes up to half a minute on its way to the bridge, and newer ones overtake it.</param>
/// <param name="CommandStall">Of a thousand commands for a host: the same on its way to the bridge.</param>
public sealed record NetworkFaults(int Loss = 0, int Twice = 0, int Slow = 0, int Stall = 0, int CommandStall = 0);

/// <param name="Twin">A shard moves while its old node goes on, and does not know.</param>
/// <param name="JournalAway">Nobody reaches the journal for some time, and all nodes know.</param>
/// <param name="JournalCut">One node does not reach the journal for some time; its peers do, and it reaches them.</param>
/// <param name="PeersCut">One node and its peers do not reach each other for some time; the journal can be reached.</param>
public sealed record ClusterFaults(
    bool Crash = false, bool Pause = false, bool HandOver = false, bool Twin = false, bool Clock = false, bool Cut = false, bool JournalAway = false,
    bool JournalCut = false, bool PeersCut = false);

/// <param name="AnswerLost">Of a thousand commands: carried out, and not answered.</param>
/// <param name="Refused">Of a thousand commands: the host refuses.</param>
/// <param name="FrameLost">Of a thousand frames: it never reaches the agent, and the next one does.</param>
/// <param name="Fails">The host fails to make or remove a switch, to apply a policy, to read or restore a NIC, to repair one.</param>
public sealed record HostFaults(
    bool Crash = false, bool Hang = false, bool Drift = false, bool Reboot = false, bool FencesLost = false, bool Cut = false,
    int AnswerLost = 0, int Twice = 0, int Refused = 0, int FrameLost = 0, bool Fails = false);

/// <summary>What is asked for besides the life of VMs and a peer's wrong OIDs.</summary>
/// <param name="Properties">Of ports and switches, by OIDs and by the definitions of VMs.</param>
/// <param name="Updates">NIC_UPDATED and PORT_UPDATED.</param>
/// <param name="Data">A NIC's data is saved and restored, whole and in single rounds.</param>
/// <param name="Cancels">Somebody would have an OID cancelled.</param>
/// <param name="Guests">A peer has ports and a NIC of its own.</param>
/// <param name="Stack">Extensions that pend, save, refuse, own, fail.</param>
/// <param name="Switches">Switches are deleted and defined again.</param>
/// <param name="Moves">VMs are moved between hosts.</param>
/// <param name="Hosts">Hosts are turned off, given up and admitted again.</param>
/// <param name="Joins">Hosts are let in with tokens.</param>
public sealed record Wanted(
    bool Properties = false, bool Updates = false, bool Data = false, bool Cancels = false, bool Guests = false,
    bool Stack = false, bool Switches = false, bool Hosts = false, bool Moves = false, bool Joins = false);
