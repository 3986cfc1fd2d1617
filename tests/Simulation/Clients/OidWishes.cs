using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>
/// What a peer asks of a switch beyond the life of its ports and NICs: properties, updates, a NIC's saved data, cancels,
/// and NICs of its own. It may be wrong about all of it.
/// </summary>
sealed class OidWishes(World world)
{
    /// <summary>The VM of the peer's own NIC: none that an operator defines.</summary>
    const string Guest = "guest";

    static readonly OidCode[] PortChanges = [OidCode.PortPropertyAdd, OidCode.PortPropertyUpdate, OidCode.PortPropertyDelete];

    static readonly OidCode[] SwitchChanges = [OidCode.PropertyAdd, OidCode.PropertyUpdate, OidCode.PropertyDelete];

    static readonly OidCode[] Questions =
        [OidCode.PortPropertyEnum, OidCode.PropertyEnum, OidCode.NicArray, OidCode.Parameters, OidCode.PortFeatureStatusQuery];

    static readonly OidCode[] Rounds = [OidCode.NicSave, OidCode.NicSaveComplete, OidCode.NicRestore, OidCode.NicRestoreComplete];

    /// <summary>Port properties: two values of one, two kinds that a data path enforces, one that nobody does, one that is malformed.</summary>
    public static readonly PropertyParameters[] Properties =
    [
        new(PropertyType.Vlan, "vlan", Value: Json("""{"operationMode":"access","accessVlanId":10}""")),
        new(PropertyType.Vlan, "vlan", Value: Json("""{"operationMode":"access","accessVlanId":20}""")),
        new(PropertyType.Custom, "acl", PropertyIds.Acl, Value: Json("""{"rules":[{"direction":"inbound","action":"deny","remote":"10.0.0.0/8"}]}""")),
        new(PropertyType.Custom, "bandwidth", PropertyIds.Bandwidth, Value: Json("""{"outboundBitsPerSecond":1000000}""")),
        new(PropertyType.Custom, "own", Owned, Value: Json("""{"colour":"blue"}""")),
        new(PropertyType.Vlan, "vlan", Value: Json("""{"operationMode":"access","accessVlanId":5000}""")),
    ];

    /// <summary>A custom id that the test extension says is its own.</summary>
    public const string Owned = "0d5f0c6a-3a53-4a0e-9a8b-6f3a7b1c2d3e";

    Wanted Wanted => world.Options.Wanted;

    public (EntityId, Command)? Next(Client client)
    {
        var luck = world.Simulator.Luck;
        var host = world.Hosts[luck.Next(client.Name + ".host", world.Hosts.Count)].Name;
        var id = EntityId.Switch(host, Wishes.SwitchName);
        var state = world.Check.State<SwitchState>(id) as SwitchState.Here;
        var kinds = new List<Func<Command?>> { () => null };
        Add(Wanted.Properties, () => Property(client, state));
        Add(Wanted.Updates, () => Update(client, state));
        Add(Wanted.Data, () => Data(client, state));
        Add(Wanted.Cancels, () => Cancel(client, state));
        Add(Wanted.Guests, () => OfGuest(client, state));
        return luck.Pick(client.Name + ".what", kinds)() is { } wanted ? (id, wanted) : null;

        void Add(bool on, Func<Command?> kind)
        {
            if (on)
            {
                kinds.AddRange([kind, kind]);
            }
        }
    }

    SubmitOid Property(Client client, SwitchState.Here? state)
    {
        var luck = world.Simulator.Luck;
        var property = luck.Pick(client.Name + ".property", Properties);
        return luck.Next(client.Name + ".property-of", 4) switch
        {
            0 => Oid(client, luck.Pick(client.Name + ".property-oid", SwitchChanges), 0, Properties[4]),
            1 => Oid(client, luck.Pick(client.Name + ".question", Questions), Port(client, state).PortId, null),
            _ => Oid(client, luck.Pick(client.Name + ".property-oid", PortChanges), Port(client, state).PortId, property),
        };
    }

    SubmitOid Update(Client client, SwitchState.Here? state)
    {
        var (luck, port) = (world.Simulator.Luck, Port(client, state));
        return luck.Next(client.Name + ".update", 3) == 0
            ? Oid(client, OidCode.PortUpdated, port.PortId, new PortParameters(port.PortName ?? port.Name, "a friend"))
            : Oid(client, OidCode.NicUpdated, port.PortId, new NicParameters(
                port.Nics.GetValueOrDefault(0)?.NicName ?? "eth0", Mtu: 1_400 + luck.Next(client.Name + ".mtu", 3)));
    }

    Command Data(Client client, SwitchState.Here? state)
    {
        var (luck, port) = (world.Simulator.Luck, Port(client, state));
        var saved = client.History.Select(request => (request.Answer?.Reply as NicDataSaved)?.Blobs).LastOrDefault(blobs => blobs is { Count: > 0 });
        NicBlob strange = new("5f0e6ad0-0000-4000-8000-000000000001", "somebody else", "AQID");
        return luck.Next(client.Name + ".data", 6) switch
        {
            0 or 1 => new SaveNicData(port.Name, 0),
            2 or 3 => new RestoreNicData(port.Name, 0, saved ?? [strange]),
            4 => new RestoreNicData(port.Name, 0, [.. saved ?? [], strange]),
            _ => Oid(client, luck.Pick(client.Name + ".round", Rounds), port.PortId, new NicRestoreParameters(strange.ExtensionId, strange.Data)),
        };
    }

    /// <summary>Of the OID that is open, or of one that nobody sent; or an answer for it that its extension has not given.</summary>
    Command Cancel(Client client, SwitchState.Here? state)
    {
        var request = state?.Slot?.Request.RequestId ?? state?.Queue.FirstOrDefault()?.Request.RequestId ?? client.Name + "-none";
        return world.Simulator.Luck.Next(client.Name + ".cancel", 3) == 1
            ? new CompleteOid(request, "test.verdict", NdisStatus.Success)
            : new CancelOid(request);
    }

    /// <summary>Two ports and one NIC that is put on either, whether it is on the other or not.</summary>
    SubmitOid OfGuest(Client client, SwitchState.Here? state)
    {
        var luck = world.Simulator.Luck;
        var name = luck.Next(client.Name + ".guest-port", 2) == 0 ? "guest-a" : "guest-b";
        if (state?.Ports.Values.FirstOrDefault(known => known.Name == name) is not { } port)
        {
            return Oid(client, OidCode.PortCreate, 0, new PortParameters(name));
        }
        OidCode[] codes = [OidCode.NicCreate, OidCode.NicCreate, OidCode.NicConnect, OidCode.NicConnect, OidCode.NicDisconnect, OidCode.NicDelete, OidCode.PortTeardown, OidCode.PortDelete];
        var oid = luck.Pick(client.Name + ".guest", codes);
        return Oid(client, oid, port.PortId, oid == OidCode.NicCreate ? new NicParameters("eth0", VmName: Guest, PermanentMacAddress: "02:00:00:00:fe:00") : null);
    }

    /// <summary>One of the switch's, or one that it does not have.</summary>
    SwitchPort Port(Client client, SwitchState.Here? state) => state is null || state.Ports.IsEmpty
        ? new SwitchPort(7, "vm1--eth0", default, PortType.Synthetic, false, ImmutableSortedDictionary<int, SwitchNic>.Empty)
        : world.Simulator.Luck.Pick(client.Name + ".port", [.. state.Ports.Values]);

    static SubmitOid Oid(Client client, OidCode oid, uint portId, OidParameters? parameters) => new(
        new OidRequest(string.Create(CultureInfo.InvariantCulture, $"{client.Name}-r{client.History.Count}"), oid, portId, 0, parameters), FromPeer: true);

    static JsonElement Json(string text) => JsonElement.Parse(text);
}
