namespace ControlPlane.DriverLinux;

/// <summary>
/// The tables of port rules of one namespace. Each NIC's device has two chains, which the kernel calls for that device
/// alone: where a frame enters from the guest, and where it leaves towards it. So a frame meets only its own port's rules.
/// The chains are spread over a few tables: the kernel walks the list of tables for each part of a transaction, and
/// checks all chains of a table that it touches, so neither may grow with the ports.
/// The kernel counts the transactions of a namespace: while that number is the one of the last reading nothing was
/// changed by any hand, and the last reading holds. So to look again costs one small question, and only a change by
/// another hand costs a reading of everything.
/// </summary>
sealed class Ruleset(string networkNamespace, Links links) : IDisposable
{
    public const string Outbound = ".out";
    public const string Inbound = ".in";
    const int TablesMax = 64;

    NetlinkSocket? _socket;
    uint _generation;
    Dictionary<string, DeviceRules>? _devices;

    /// <summary>Readings of everything so far.</summary>
    public long FullReadings { get; private set; }

    /// <summary>The table that a device's chains are in: by its name, so it is found again.</summary>
    public static string TableOf(string device) =>
        $"ports-{Convert.ToInt32(DeviceNames.Hash(device)[..2], 16) % TablesMax:x2}";

    /// <summary>What is there for a device; a kernel may take chains away with a device, so that of another one is read anew.</summary>
    /// <param name="device">Its place in the kernel's table of links; 0: whatever it is, what is there is read anew.</param>
    public DeviceRules? Rules(string name, int device)
    {
        var devices = Devices();
        if (devices.TryGetValue(name, out var rules) && (rules.Device != device || device == 0))
        {
            Read(devices, name, device);
        }

        return devices.GetValueOrDefault(name);
    }

    public IReadOnlyCollection<string> Names() => Devices().Keys;

    /// <summary>
    /// A transaction about one device: all of it or nothing. If no other hand came between, only that device is read after it.
    /// </summary>
    public void Commit(string name, int device, IReadOnlyList<NetlinkMessage> changes, string what)
    {
        var devices = Devices();
        var before = _generation;
        Socket().Request([RulesetChanges.Begin(), .. changes, RulesetChanges.End()], what);
        if (Generation() == before + 1)
        {
            _generation = before + 1;
            Read(devices, name, device);
        }
        else
        {
            ReadAll();
        }
    }

    /// <summary>The rules of one device with their counters of now.</summary>
    public List<RuleInfo> ReadRules(string device) =>
        [.. ReadRules(TableOf(device), device + Outbound), .. ReadRules(TableOf(device), device + Inbound)];

    public void Dispose() => _socket?.Dispose();

    Dictionary<string, DeviceRules> Devices() =>
        _devices is { } devices && _generation == Generation() ? devices : ReadAll();

    List<RuleInfo> ReadRules(string? table, string? chain) => Absent(
        () => Socket().Collect(() => RulesetMessages.Rules(table, chain), bytes => RulesetMessages.ReadRule(bytes)), []);

    uint Generation()
    {
        // No packet rules in this kernel, so none of ours either; a policy is refused when it is written.
        var generation = 0u;
        One(RulesetMessages.Generation(), bytes => generation = RulesetMessages.ReadGeneration(bytes));
        return generation;
    }

    Dictionary<string, DeviceRules> ReadAll()
    {
        FullReadings++;

        // The number is asked for first: a change during the reading makes the next look read again. So do the links:
        // a device that is a new one by then is seen to be one.
        _generation = Generation();
        var indexes = links.All().ToDictionary(link => link.Name, link => link.Index);
        var flags = Absent(() => Socket().Collect(RulesetMessages.Tables, bytes => RulesetMessages.ReadTable(bytes)), [])
            .ToDictionary(table => table.Name, table => table.Flags);
        var devices = new Dictionary<string, DeviceRules>();
        foreach (var chain in Absent(() => Socket().Collect(RulesetMessages.Chains, bytes => RulesetMessages.ReadChain(bytes)), []))
        {
            var name = DeviceOf(chain);
            if (chain.Table == TableOf(name))
            {
                if (!devices.TryGetValue(name, out var rules))
                {
                    devices[name] = rules = new DeviceRules(name, indexes.GetValueOrDefault(name), flags.GetValueOrDefault(chain.Table));
                }

                rules.Add(chain);
            }
        }

        foreach (var rule in ReadRules(null, null))
        {
            if (devices.TryGetValue(DeviceOf(rule.Chain), out var rules) && rule.Table == TableOf(rules.Name))
            {
                rules.Rules.Add(rule);
            }
        }

        return _devices = devices;
    }

    void Read(Dictionary<string, DeviceRules> devices, string name, int device)
    {
        // Chains of another hand are known from the reading of everything; our own transactions make none.
        var table = TableOf(name);
        string[] chains = [.. (devices.GetValueOrDefault(name)?.Chains ?? []).Union([name + Outbound, name + Inbound])];
        var read = new DeviceRules(name, device, 0);
        One(RulesetMessages.Table(table), bytes => read = new DeviceRules(name, device, RulesetMessages.ReadTable(bytes).Flags));
        foreach (var chain in chains)
        {
            One(RulesetMessages.Chain(table, chain), bytes => read.Add(RulesetMessages.ReadChain(bytes)));
        }

        if (read.Chains.Count > 0)
        {
            read.Rules.AddRange(ReadRules(name));
            devices[name] = read;
        }
        else
        {
            devices.Remove(name);
        }
    }

    /// <summary>The device whose chain it is: by its name, or because it is called for it.</summary>
    static string DeviceOf(ChainInfo chain) => DeviceOf(chain.Name) is var name && DeviceNames.IsNic(name) ? name : chain.Hook?.Device ?? "";

    static string DeviceOf(string chain) => chain.Split('.')[0];

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

/// <summary>A device's chains as they were read: for which device of that name, and the flags of the table, of which one turns all of it off.</summary>
sealed class DeviceRules(string name, int device, uint flags)
{
    readonly Dictionary<string, HookInfo?> _chains = [];

    public string Name { get; } = name;

    public int Device { get; } = device;

    public uint Flags { get; } = flags;

    public IReadOnlyCollection<string> Chains => _chains.Keys;

    /// <summary>In each chain in the order in which the kernel asks them.</summary>
    public List<RuleInfo> Rules { get; } = [];

    /// <summary>The kernel calls its two chains for the device, and no other one.</summary>
    public bool Whole => Flags == 0 && _chains.Count == 2 && Hooked(HookInfo.Outbound(Name), Ruleset.Outbound)
        && Hooked(HookInfo.Inbound(Name), Ruleset.Inbound);

    public void Add(ChainInfo chain) => _chains[chain.Name] = chain.Hook;

    bool Hooked(HookInfo hook, string chain) => _chains.GetValueOrDefault(Name + chain) == hook;
}
