using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// A host's switches. A switch is a kernel bridge with an uplink; one that has more ports than a kernel bridge takes
/// spans further bridges, each joined to the first by a veth. A port has its place on one of them from its reservation
/// to its end, and finding it costs the same with two thousand ports as with one.
/// </summary>
sealed class HostBridge
{
    // Frames of guests with jumbo frames must pass as well.
    const int JointMtu = 9_216;

    readonly DeviceNames _names;
    readonly Links _host;
    readonly Underlay _underlay;
    readonly int _portsMax;
    readonly int _bridgesMax;
    readonly Dictionary<string, Places> _places = new(StringComparer.Ordinal);

    /// <summary>Takes in what the kernel has.</summary>
    public HostBridge(DeviceNames names, Links host, Underlay underlay, int portsMax, int bridgesMax)
    {
        (_names, _host, _underlay, _portsMax, _bridgesMax) = (names, host, underlay, portsMax, bridgesMax);
        foreach (var link in host.All())
        {
            if (SwitchAlias.OfBridge(link.Alias) is { } name && link.Name == DeviceNames.Bridge(name))
            {
                _places[name] = Look(name, null);
            }
        }
    }

    public void Ensure(string switchName)
    {
        var bridge = Bridge(switchName, DeviceNames.Bridge(switchName));
        _underlay.Plug(_host, bridge, switchName);
        _places.TryAdd(switchName, new Places(_bridgesMax));
        foreach (var number in Enumerable.Range(1, _bridgesMax - 1).Where(number => Find(switchName, number) is not null))
        {
            Join(switchName, number);
        }
    }

    public LinkInfo? Find(string switchName) => Find(switchName, 0);

    /// <summary>Null when it is gone; else why it stays.</summary>
    public string? Remove(string switchName)
    {
        if (Bridges(switchName).Count > 0)
        {
            var ports = Bridges(switchName).Sum(bridge => _host.All(bridge.Index).Count(link => !SwitchAlias.IsInner(link.Alias)));
            if (ports > 0)
            {
                return $"switch {switchName} has {ports} ports";
            }

            RemoveAnyway(switchName);
        }

        _places.Remove(switchName);
        return null;
    }

    /// <summary>The end of the host: ports or not. Without its uplink nothing moves on it any more.</summary>
    public void RemoveAnyway(string switchName)
    {
        _underlay.Unplug(_host, switchName);
        foreach (var bridge in Bridges(switchName).Reverse())
        {
            if (_host.Find(DeviceNames.Joint(switchName, Number(switchName, bridge))) is { } joint)
            {
                _host.Delete(joint);
            }

            _host.Delete(bridge);
        }
    }

    public (NdisStatus Status, string? Detail) Reserve(string switchName, string port)
    {
        if (Find(switchName) is null || !_places.TryGetValue(switchName, out var places))
        {
            return (NdisStatus.Failure, $"no switch {switchName} on this host");
        }

        if (places.Find(port) is null && FreeBridge(switchName) is not { } _)
        {
            return (NdisStatus.Resources, $"switch {switchName} has no room: {_bridgesMax} bridges of {_portsMax} ports, uplink and joints included");
        }

        places = _places[switchName];
        places.Reserve(port, places.Find(port) ?? places.FirstWithRoom(Room)!.Value);
        return (NdisStatus.Success, null);
    }

    public void Free(string switchName, string port) => _places.GetValueOrDefault(switchName)?.Free(port);

    /// <summary>The bridge that the port's device belongs on; made if it is the first there.</summary>
    public LinkInfo Place(string switchName, string port)
    {
        var places = _places.TryGetValue(switchName, out var known) ? known : throw new KernelException(19, "find switch " + switchName);
        var number = places.Find(port) ?? FreeBridge(switchName) ?? throw new KernelException(54, "place " + port + " on " + switchName);
        _places[switchName].Take(port, number);
        return number == 0 ? Find(switchName)! : Join(switchName, number);
    }

    /// <summary>A bridge with room; before there is said to be none, the kernel is asked what is really there.</summary>
    int? FreeBridge(string switchName)
    {
        if (_places[switchName].FirstWithRoom(Room) is { } number)
        {
            return number;
        }

        _places[switchName] = Look(switchName, _places[switchName]);
        return _places[switchName].FirstWithRoom(Room);
    }

    /// <summary>The first bridge keeps places for the uplink and the joints, each other one for its joint.</summary>
    int Room(int number) => number == 0 ? _portsMax - _bridgesMax : _portsMax - 1;

    LinkInfo Bridge(string switchName, string name)
    {
        var bridge = _host.EnsureBridge(name);
        _host.Change(bridge, new LinkChange(Up: true, Alias: SwitchAlias.ForBridge(switchName)));
        return bridge;
    }

    LinkInfo? Find(string switchName, int number) => _host.Find(Name(switchName, number)) is { Kind: "bridge" } bridge ? bridge : null;

    IReadOnlyList<LinkInfo> Bridges(string switchName) =>
        [.. Enumerable.Range(0, _bridgesMax).Select(number => Find(switchName, number)).OfType<LinkInfo>()];

    static string Name(string switchName, int number) => number == 0 ? DeviceNames.Bridge(switchName) : DeviceNames.Leaf(switchName, number);

    int Number(string switchName, LinkInfo bridge) =>
        Enumerable.Range(0, _bridgesMax).First(number => Name(switchName, number) == bridge.Name);

    /// <summary>
    /// A further bridge of the switch, joined to the first: a star, so there is no loop. Asked each time a device is put
    /// there, since a joint may be half made, or gone by another hand.
    /// </summary>
    LinkInfo Join(string switchName, int number)
    {
        var first = Find(switchName) ?? throw new KernelException(19, "find switch " + switchName);
        var leaf = Find(switchName, number) ?? Bridge(switchName, Name(switchName, number));
        var (near, far) = (_host.Find(DeviceNames.Joint(switchName, number)), _host.Find(DeviceNames.JointFarEnd(switchName, number)));
        if (near is { Up: true } && near.Master == first.Index && far is { Up: true } && far.Master == leaf.Index)
        {
            return leaf;
        }

        if (near is null)
        {
            using var here = NetworkNamespace.Open(_names.HostNamespace);
            near = _host.AddVeth(DeviceNames.Joint(switchName, number), new VethPeer(DeviceNames.JointFarEnd(switchName, number), here), JointMtu);
        }

        var alias = SwitchAlias.ForJoint(switchName);
        _host.Change(_host.Need(DeviceNames.JointFarEnd(switchName, number)), new LinkChange(Up: true, Master: leaf.Index, Alias: alias));
        _host.Change(near, new LinkChange(Up: true, Master: first.Index, Alias: alias));
        return leaf;
    }

    /// <summary>Who is where, from the kernel; reservations without a device stay as they were.</summary>
    Places Look(string switchName, Places? before)
    {
        var places = new Places(_bridgesMax);
        foreach (var bridge in Bridges(switchName))
        {
            foreach (var link in _host.All(bridge.Index).Where(link => !SwitchAlias.IsInner(link.Alias)))
            {
                places.Take(DeviceAlias.Parse(link.Alias)?.Port ?? $"device {link.Name}", Number(switchName, bridge));
            }
        }

        before?.ReservedInto(places);
        return places;
    }
}
