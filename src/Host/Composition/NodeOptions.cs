using System.Globalization;
using System.Net;
using ControlPlane.Agent;
using ControlPlane.Messages;

namespace ControlPlane.Host.Composition;

/// <summary>What this process is.</summary>
enum NodeRole
{
    /// <summary>A cluster member with the agents of local hosts.</summary>
    All = 1,
    /// <summary>A cluster member.</summary>
    Node,
    /// <summary>The agents of local hosts.</summary>
    Agent,
}

/// <summary>How a process is set up; everything is checked before anything starts.</summary>
sealed record NodeOptions
{
    /// <summary>Hosts that one process may serve.</summary>
    const int HostsMax = 64;

    const int PrefixMax = 16;
    const int SeedsMax = 16;
    const int NodesMax = 16;

    public NodeRole Role { get; init; } = NodeRole.All;

    /// <summary>0: any free one.</summary>
    public int Port { get; init; } = 8080;

    public IPAddress Listen { get; init; } = IPAddress.Loopback;

    /// <summary>The data directory: journal, read tables, tokens, agents' state.</summary>
    public string Data { get; init; } = "data";

    /// <summary>linux or simulated.</summary>
    public string Driver { get; init; } = "simulated";

    /// <summary>Hosts whose agents run in this process.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = ["hv01", "hv02"];

    /// <summary>Linux: stands before the names of network namespaces, so that two fleets can share a machine.</summary>
    public string NamespacePrefix { get; init; } = "";

    /// <summary>Where other nodes reach this one. Null: this node is a cluster of one.</summary>
    public IPEndPoint? Cluster { get; init; }

    /// <summary>Directory with ca.crt, node.crt and node.key; without it nodes speak in the clear, on loopback alone.</summary>
    public string? Certificates { get; init; }

    /// <summary>HOST:PORT of nodes to join; none: the database tells who is there.</summary>
    public IReadOnlyList<string> Seeds { get; init; } = [];

    /// <summary>Agents: sockets of the nodes that they may use; none: the one of <see cref="Data"/>.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>A request's body may stay under its least rate for so long (reliability.md 11.1 B3). No setting: only tests wait less.</summary>
    public TimeSpan BodyGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>When a subscriber of /v1/watch is too slow. No setting: only tests have less.</summary>
    public WatchLimits Watch { get; init; } = new(BehindMax: 10_000, WriteMax: TimeSpan.FromSeconds(10));

    public string JournalFile => Path.Combine(Data, "journal.db");

    public string ReadFile => Path.Combine(Data, "read.db");

    public string AgentSocket => Path.Combine(Data, "agent.sock");

    public string AgentState => Path.Combine(Data, "agents");

    /// <summary>One setting by its name; throws <see cref="SettingException"/> if there is no such setting or the value is wrong.</summary>
    public NodeOptions With(string key, string value, string source)
    {
        return key.ToLowerInvariant() switch
        {
            "port" => this with
            {
                Port = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= ushort.MaxValue
                    ? port
                    : throw Wrong("is from 0 to 65535"),
            },
            "listen" => this with
            {
                Listen = !IPAddress.TryParse(value, out var address) ? throw Wrong("is an IP address")
                    : IPAddress.IsLoopback(address) ? address
                    : throw Wrong("is a loopback address: this release has no TLS, and without it listens on no other"),
            },
            "data" => this with { Data = value.Length > 0 ? Path.GetFullPath(value) : throw Wrong("is a directory") },
            "driver" => this with { Driver = Drivers.Kinds.Contains(value) ? value : throw Wrong($"is one of {string.Join(", ", Drivers.Kinds)}") },
            "hosts" => this with { Hosts = HostsOf(value) ?? throw Wrong($"is 1 to {HostsMax} names of hosts with commas between") },
            "cluster" => this with
            {
                Cluster = IPEndPoint.TryParse(value, out var cluster) && cluster.Port > 0 && value.Contains(':', StringComparison.Ordinal)
                    ? cluster
                    : throw Wrong("is ADDRESS:PORT"),
            },
            "certificates" => this with { Certificates = value.Length > 0 ? Path.GetFullPath(value) : throw Wrong("is a directory") },
            "seeds" => this with
            {
                Seeds = value.Split(',', StringSplitOptions.TrimEntries) is { Length: <= SeedsMax } seeds && seeds.All(seed => IPEndPoint.TryParse(seed, out _))
                    ? seeds
                    : throw Wrong($"is at most {SeedsMax} times ADDRESS:PORT with commas between"),
            },
            "nodes" => this with
            {
                Nodes = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { Length: >= 1 and <= NodesMax } nodes
                    ? [.. nodes.Select(Path.GetFullPath)]
                    : throw Wrong($"is 1 to {NodesMax} agent sockets of nodes with commas between"),
            },
            "namespaceprefix" => this with
            {
                NamespacePrefix = value.Length <= PrefixMax && value.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
                    ? value
                    : throw Wrong($"is at most {PrefixMax} of a-z, 0-9 and -"),
            },
            _ => throw new SettingException($"{source}: there is no setting \"{key}\"; there are: port, listen, data, driver, hosts, namespacePrefix, cluster, certificates, seeds, nodes."),
        };

        SettingException Wrong(string what) => new($"{source}: {key} {what}, not \"{value}\".");
    }

    static string[]? HostsOf(string value) =>
        value.Split(',', StringSplitOptions.TrimEntries) is { Length: >= 1 and <= HostsMax } names
        && names.All(name => Names.IsName(name)) && names.Distinct(StringComparer.Ordinal).Count() == names.Length
            ? names
            : null;
}

/// <summary>Bounds of one stream of events; over either the stream is closed, and its subscriber goes on from its cursor.</summary>
/// <param name="BehindMax">Events that a subscriber that was at the end once may be behind.</param>
/// <param name="WriteMax">Nobody takes so long for one write unless its connection is stuck.</param>
sealed record WatchLimits(int BehindMax, TimeSpan WriteMax);

/// <summary>A setting that is not there or has a wrong value: the process does not start, and says which.</summary>
sealed class SettingException(string message) : Exception(message);
