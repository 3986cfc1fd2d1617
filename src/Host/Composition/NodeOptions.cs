using System.Globalization;
using System.Net;
using ControlPlane.Agent;
using ControlPlane.Host.Engine.Postgres;
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
    /// <summary>One change of PostgreSQL by an operator, then the end.</summary>
    Database,
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

    /// <summary>Of the role <see cref="NodeRole.Database"/>: what is to be done.</summary>
    public string DatabaseVerb { get; init; } = "";

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

    /// <summary>Where agents reach this node by TLS; null: only on this machine, over the socket.</summary>
    public IPEndPoint? Agents { get; init; }

    /// <summary>Directory with issuer.crt and issuer.key, to certify agents with; null: this node certifies nobody.</summary>
    public string? Issuer { get; init; }

    /// <summary>Agents: sockets or https:// addresses of the nodes that they may use; none: the socket of <see cref="Data"/>.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>A request's body may stay under its least rate for so long (reliability.md 11.1 B3). No setting: only tests wait less.</summary>
    public TimeSpan BodyGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>When a subscriber of /v1/watch is too slow. No setting: only tests have less.</summary>
    public WatchLimits Watch { get; init; } = new(BehindMax: 10_000, WriteMax: TimeSpan.FromSeconds(10));

    public string JournalFile => Path.Combine(Data, "journal.db");

    public string ReadFile => Path.Combine(Data, "read.db");

    /// <summary>PostgreSQL in place of the two files; null: the files.</summary>
    public PostgresOptions? Database { get; init; }

    /// <summary>What this node last saw of PostgreSQL.</summary>
    public string WitnessFile => Path.Combine(Data, "postgres.witness.json");

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
            "wire" => this with
            {
                Database = Postgres with
                {
                    Wire = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var wire) && wire is >= 1 and <= StoredNames.Wire
                        ? wire
                        : throw Wrong($"is from 1 to {StoredNames.Wire}"),
                },
            },
            "cluster" => this with { Cluster = Endpoint() },
            "agents" => this with { Agents = Endpoint() },
            "issuer" => this with { Issuer = value.Length > 0 ? Path.GetFullPath(value) : throw Wrong("is a directory") },
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
                    ? [.. nodes.Select(node => !node.Contains("://", StringComparison.Ordinal) ? Path.GetFullPath(node)
                        : NodeAddress(node)?.ToString() ?? throw Wrong("is agent sockets or https://HOST:PORT of nodes"))]
                    : throw Wrong($"is 1 to {NodesMax} agent sockets or https://HOST:PORT of nodes with commas between"),
            },
            "namespaceprefix" => this with
            {
                NamespacePrefix = value.Length <= PrefixMax && value.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
                    ? value
                    : throw Wrong($"is at most {PrefixMax} of a-z, 0-9 and -"),
            },
            "postgres" => this with { Database = Postgres with { Connection = Connection() } },
            "postgresowner" => this with { Database = Postgres with { Owner = Connection() } },
            "postgrespool" => this with
            {
                Database = Postgres with
                {
                    Pool = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var pool)
                        && pool is >= PostgresOptions.PoolMin and <= PostgresOptions.PoolMax
                            ? pool
                            : throw Wrong($"is from {PostgresOptions.PoolMin} to {PostgresOptions.PoolMax}"),
                },
            },
            "postgresstandby" => this with
            {
                Database = Postgres with { NeedsStandby = value is "none" or "synchronous" ? value == "synchronous" : throw Wrong("is none or synchronous") },
            },
            _ => throw new SettingException(
                $"{source}: there is no setting \"{key}\"; there are: port, listen, data, driver, hosts, namespacePrefix, postgres, postgresOwner, postgresPool, postgresStandby, cluster, certificates, seeds, nodes, agents, issuer, wire."),
        };

        IPEndPoint Endpoint() => IPEndPoint.TryParse(value, out var endpoint) && endpoint.Port > 0 && value.Contains(':', StringComparison.Ordinal)
            ? endpoint
            : throw Wrong("is ADDRESS:PORT");

        // It may hold a password, so it is never repeated.
        string Connection() => PostgresOptions.Fault(value) is { } fault
            ? throw new SettingException($"{source}: {key} {fault}. It is like Host=db1;Database=controlplane;Username=controlplane.")
            : value;

        SettingException Wrong(string what) => new($"{source}: {key} {what}, not \"{value}\".");
    }

    /// <summary>What is known so far; <see cref="Whole"/> finds out what is missing.</summary>
    PostgresOptions Postgres => Database ?? new PostgresOptions("");

    /// <summary>To be asked when all settings are read.</summary>
    /// <exception cref="SettingException">A setting is there that means nothing without another.</exception>
    public NodeOptions Whole() => this switch
    {
        { Database.Connection: "" } => throw new SettingException("postgresOwner, postgresPool, postgresStandby and wire mean nothing without postgres."),
        { Cluster: not null, Database: null } => throw new SettingException("cluster needs postgres: nodes share its journal."),
        { Cluster.Address: var address, Certificates: null } when !IPAddress.IsLoopback(address) =>
            throw new SettingException("cluster is on a loopback address unless there are certificates: nodes speak over a network by mutual TLS alone."),
        { Cluster: null } when Seeds.Count > 0 => throw new SettingException("seeds mean nothing without cluster."),
        { Cluster: null, Database.Wire: < StoredNames.Wire } => throw new SettingException("wire means nothing without cluster: a node alone speaks what it knows."),
        { Cluster: null, Agents: null, Certificates: not null } => throw new SettingException("certificates mean nothing without cluster or agents."),
        { Agents: not null, Certificates: null } => throw new SettingException("agents needs certificates: over a network they and nodes speak by mutual TLS alone."),
        { Agents: null, Issuer: not null } => throw new SettingException("issuer means nothing without agents: it certifies who comes there."),
        _ => this,
    };

    /// <summary>https://HOST:PORT and nothing else, or null.</summary>
    public static Uri? NodeAddress(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var address) && address is { Scheme: "https", PathAndQuery: "/", UserInfo: "", Fragment: "" } ? address : null;

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
