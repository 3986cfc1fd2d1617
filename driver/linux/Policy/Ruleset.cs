namespace ControlPlane.DriverLinux;

/// <summary>
/// Reads the table of port rules of one namespace. The kernel counts the transactions of a namespace: while that number
/// is the one of the last reading nothing was changed by any hand, and the last reading holds. So to look again costs
/// one small question, however many ports there are, and only a change by another hand costs a reading of everything.
/// </summary>
sealed class Ruleset(string networkNamespace) : IDisposable
{
    public const string Table = "ports";
    public const string Outbound = "outbound";
    public const string Inbound = "inbound";

    NetlinkSocket? _socket;
    RulesetView? _last;

    /// <summary>Readings of everything so far.</summary>
    public long FullReadings { get; private set; }

    public RulesetView View()
    {
        var generation = Generation();
        if (_last is null || _last.Generation != generation)
        {
            _last = ReadAll();
        }

        return _last;
    }

    /// <summary>
    /// After a transaction of our own about one device: if no other hand came between, only that device is read.
    /// </summary>
    public RulesetView After(RulesetView before, string device)
    {
        var generation = Generation();
        if (!before.Whole || generation != before.Generation + 1)
        {
            return _last = ReadAll();
        }

        before.Forget(device);
        before.Generation = generation;
        foreach (var (map, chains) in before.Maps)
        {
            if (ReadElement(map, device) is { } chain)
            {
                chains[device] = chain;
                before.Owned(device).Add(chain);
                before.Rules[chain] = ReadRules(chain);
            }
        }

        return _last = before;
    }

    /// <summary>The rules of one chain with their counters of now.</summary>
    public List<RuleInfo> ReadRules(string? chain) => Absent(
        () => Socket().Collect(() => RulesetMessages.Rules(Table, chain), bytes => RulesetMessages.ReadRule(bytes)), []);

    public void Dispose() => _socket?.Dispose();

    uint Generation()
    {
        var generation = 0u;
        try
        {
            Socket().Exchange(RulesetMessages.Generation(), bytes => generation = RulesetMessages.ReadGeneration(bytes));
        }
        catch (KernelException error) when (IsAbsent(error))
        {
            // No packet rules in this kernel, so none of ours either; a policy is refused when it is written.
        }

        return generation;
    }

    RulesetView ReadAll()
    {
        FullReadings++;

        // The number is asked for first: a change during the reading makes the next look read again.
        var view = new RulesetView { Generation = Generation() };
        foreach (var (map, chains) in view.Maps)
        {
            var elements = Absent(
                () => Socket().Collect(() => RulesetMessages.Elements(Table, map), bytes => RulesetMessages.ReadElements(bytes)), []);
            foreach (var (device, chain) in elements.SelectMany(some => some))
            {
                chains[device] = chain;
            }
        }

        var names = Absent(() => Socket().Collect(RulesetMessages.Chains, bytes => RulesetMessages.ReadChain(bytes)), []);
        foreach (var (_, name) in names.Where(chain => chain.Table == Table))
        {
            view.Owned(PortRules.DeviceOf(name)).Add(name);
        }

        foreach (var rules in ReadRules(null).GroupBy(rule => rule.Chain))
        {
            view.Rules[rules.Key] = [.. rules];
        }

        view.Whole = IsHooked(view, Outbound) && IsHooked(view, Inbound);
        return view;
    }

    /// <summary>The chain is called by the kernel, and its one rule is ours.</summary>
    bool IsHooked(RulesetView view, string chain)
    {
        var hook = "";
        Absent(() =>
        {
            Socket().Exchange(RulesetMessages.Chain(Table, chain), bytes => hook = RulesetMessages.ReadHook(bytes));
            return true;
        }, false);
        return hook.Length > 1 && view.Rules.GetValueOrDefault(chain) is [{ Comment: RuleText.Dispatch }];
    }

    string? ReadElement(string map, string device)
    {
        string? chain = null;
        Absent(() =>
        {
            Socket().Exchange(RulesetMessages.Element(Table, map, device), bytes =>
                chain = RulesetMessages.ReadElements(bytes).Select(element => element.Chain).FirstOrDefault());
            return true;
        }, false);
        return chain;
    }

    NetlinkSocket Socket() => _socket ??= NetlinkSocket.Open(networkNamespace, NetlinkSocket.Netfilter);

    /// <summary>A table or a map that is not there has nothing in it.</summary>
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

/// <summary>The table as it was read.</summary>
sealed class RulesetView
{
    readonly Dictionary<string, HashSet<string>> _owned = [];

    public uint Generation { get; set; }

    /// <summary>Both chains that the kernel calls are there and lead to the ports' chains.</summary>
    public bool Whole { get; set; }

    /// <summary>For each direction: the chain that a device's frames go to.</summary>
    public Dictionary<string, Dictionary<string, string>> Maps { get; } = new()
    {
        [Ruleset.Outbound] = [],
        [Ruleset.Inbound] = [],
    };

    /// <summary>By chain; one without rules is not in it, or has none.</summary>
    public Dictionary<string, List<RuleInfo>> Rules { get; } = [];

    public string? Chain(string map, string device) => Maps[map].GetValueOrDefault(device);

    /// <summary>The chains that a device has, also those that nothing leads to.</summary>
    public HashSet<string> Owned(string device)
    {
        if (!_owned.TryGetValue(device, out var chains))
        {
            _owned[device] = chains = [];
        }

        return chains;
    }

    public void Forget(string device)
    {
        foreach (var chain in Owned(device))
        {
            Rules.Remove(chain);
        }

        _owned.Remove(device);
        foreach (var map in Maps.Values)
        {
            map.Remove(device);
        }
    }
}
