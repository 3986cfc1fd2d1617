namespace ControlPlane.DriverLinux;

/// <summary>
/// The tables of port rules of one namespace. Each NIC's device has a table of its name with two chains, which the kernel
/// calls for that device alone: where a frame enters from the guest, and where it leaves towards it. So a frame meets
/// only its own port's rules, and a transaction is checked against that port's alone, however many ports there are.
/// The kernel counts the transactions of a namespace: while that number is the one of the last reading nothing was
/// changed by any hand, and the last reading holds. So to look again costs one small question, and only a change by
/// another hand costs a reading of everything.
/// </summary>
sealed class Ruleset(string networkNamespace, Links links) : IDisposable
{
    public const string Outbound = "outbound";
    public const string Inbound = "inbound";

    NetlinkSocket? _socket;
    uint _generation;
    Dictionary<string, DeviceTable>? _tables;

    /// <summary>Readings of everything so far.</summary>
    public long FullReadings { get; private set; }

    /// <summary>What is there for a device; a kernel may take chains away with a device, so that of another one is read anew.</summary>
    public DeviceTable? Table(string name, int device)
    {
        var tables = Tables();
        if (!tables.TryGetValue(name, out var table))
        {
            return null;
        }

        if (table.Device != device)
        {
            Read(tables, name, device);
        }

        return tables.GetValueOrDefault(name);
    }

    public bool Has(string device) => Tables().ContainsKey(device);

    public IReadOnlyCollection<string> Devices() => Tables().Keys;

    /// <summary>
    /// A transaction about one device: all of it or nothing. If no other hand came between, only that device is read after it.
    /// </summary>
    public void Commit(string name, int device, IReadOnlyList<NetlinkMessage> changes, string what)
    {
        var tables = Tables();
        var before = _generation;
        Socket().Request([RulesetChanges.Begin(), .. changes, RulesetChanges.End()], what);
        if (Generation() == before + 1)
        {
            _generation = before + 1;
            Read(tables, name, device);
        }
        else
        {
            ReadAll();
        }
    }

    /// <summary>The rules of one device, or of all, with their counters of now.</summary>
    public List<RuleInfo> ReadRules(string? device) => Absent(
        () => Socket().Collect(() => RulesetMessages.Rules(device), bytes => RulesetMessages.ReadRule(bytes)), []);

    public void Dispose() => _socket?.Dispose();

    Dictionary<string, DeviceTable> Tables() =>
        _tables is { } tables && _generation == Generation() ? tables : ReadAll();

    uint Generation()
    {
        // No packet rules in this kernel, so none of ours either; a policy is refused when it is written.
        var generation = 0u;
        One(RulesetMessages.Generation(), bytes => generation = RulesetMessages.ReadGeneration(bytes));
        return generation;
    }

    Dictionary<string, DeviceTable> ReadAll()
    {
        FullReadings++;

        // The number is asked for first: a change during the reading makes the next look read again. So do the links:
        // a device that is a new one by then is seen to be one.
        _generation = Generation();
        var devices = links.All().ToDictionary(link => link.Name, link => link.Index);
        var tables = new Dictionary<string, DeviceTable>();
        foreach (var (name, flags) in Absent(() => Socket().Collect(RulesetMessages.Tables, bytes => RulesetMessages.ReadTable(bytes)), []))
        {
            tables[name] = new DeviceTable(name, devices.GetValueOrDefault(name), flags);
        }

        foreach (var chain in Absent(() => Socket().Collect(RulesetMessages.Chains, bytes => RulesetMessages.ReadChain(bytes)), []))
        {
            tables.GetValueOrDefault(chain.Table)?.Add(chain);
        }

        foreach (var rule in ReadRules(null))
        {
            tables.GetValueOrDefault(rule.Table)?.Rules.Add(rule);
        }

        return _tables = tables;
    }

    void Read(Dictionary<string, DeviceTable> tables, string name, int device)
    {
        // Chains of another hand are known from the reading of everything; our own transaction makes none.
        string[] chains = [.. tables.GetValueOrDefault(name)?.Chains.Union([Outbound, Inbound]) ?? [Outbound, Inbound]];
        tables.Remove(name);
        One(RulesetMessages.Table(name), bytes => tables[name] = new DeviceTable(name, device, RulesetMessages.ReadTable(bytes).Flags));
        if (tables.TryGetValue(name, out var table))
        {
            foreach (var chain in chains)
            {
                One(RulesetMessages.Chain(name, chain), bytes => table.Add(RulesetMessages.ReadChain(bytes)));
            }

            table.Rules.AddRange(ReadRules(name));
        }
    }

    void One(NetlinkMessage question, MessageReader answer) => Absent(() =>
    {
        Socket().Exchange(question, answer);
        return true;
    }, false);

    NetlinkSocket Socket() => _socket ??= NetlinkSocket.Open(networkNamespace, NetlinkSocket.Netfilter);

    /// <summary>A table that is not there has nothing in it.</summary>
    static T Absent<T>(Func<T> read, T nothing)
    {
        try
        {
            return read();
        }
        catch (KernelException error) when (IsAbsent(error))
        {
            return nothing;
        }
    }

    /// <summary>ENOENT, and what a kernel without packet rules answers: EINVAL, EPROTONOSUPPORT, EOPNOTSUPP.</summary>
    static bool IsAbsent(KernelException error) => error.Errno is 2 or 22 or 93 or 95;
}

/// <summary>A device's table as it was read: for which device of that name, and whether the kernel may pass it by (flags).</summary>
sealed class DeviceTable(string name, int device, uint flags)
{
    readonly Dictionary<string, HookInfo?> _chains = [];

    public int Device { get; } = device;

    public IEnumerable<string> Chains => _chains.Keys;

    /// <summary>In the order of the chains, and in each in the order in which the kernel asks them.</summary>
    public List<RuleInfo> Rules { get; } = [];

    /// <summary>The kernel calls its two chains for the device, and there is no other one.</summary>
    public bool Whole => flags == 0 && _chains.Count == 2 && Hooked(Ruleset.Outbound) && Hooked(Ruleset.Inbound);

    public void Add(ChainInfo chain) => _chains[chain.Name] = chain.Hook;

    bool Hooked(string chain) => _chains.GetValueOrDefault(chain) == HookInfo.Of(chain, name);
}
