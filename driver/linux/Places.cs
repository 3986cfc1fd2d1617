namespace ControlPlane.DriverLinux;

/// <summary>On which bridge each port of a switch is, and how many are on each.</summary>
sealed class Places(int bridges)
{
    readonly Dictionary<string, (int Bridge, bool Reserved)> _ports = new(StringComparer.Ordinal);
    readonly int[] _counts = new int[bridges];

    public int? Find(string port) => _ports.TryGetValue(port, out var place) ? place.Bridge : null;

    public int? FirstWithRoom(Func<int, int> room) =>
        Enumerable.Range(0, bridges).Where(bridge => _counts[bridge] < room(bridge)).Select(bridge => (int?)bridge).FirstOrDefault();

    public void Reserve(string port, int bridge) => Put(port, bridge, reserved: true);

    /// <summary>A device is there, whether or not the port was reserved.</summary>
    public void Take(string port, int bridge) => Put(port, bridge, _ports.GetValueOrDefault(port).Reserved);

    public void Free(string port)
    {
        if (_ports.Remove(port, out var place))
        {
            _counts[place.Bridge]--;
        }
    }

    /// <summary>Reservations outlive a fresh look at the devices.</summary>
    public void ReservedInto(Places other)
    {
        foreach (var (port, place) in _ports.Where(port => port.Value.Reserved))
        {
            other.Put(port, other.Find(port) ?? place.Bridge, reserved: true);
        }
    }

    void Put(string port, int bridge, bool reserved)
    {
        Free(port);
        _ports[port] = (bridge, reserved);
        _counts[bridge]++;
    }
}
