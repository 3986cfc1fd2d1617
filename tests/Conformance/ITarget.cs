using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>
/// What a scenario speaks to: one switch of its own on one host, entered as a peer's protocol edge (api.md 4). The same
/// scenario runs on the lifecycles alone and over the HTTP entry of a running control plane.
/// </summary>
public interface ITarget
{
    string Host { get; }

    /// <summary>The switch of this scenario; nobody else uses it.</summary>
    string Switch { get; }

    Task<Verdict> DefineSwitch(params ExtensionDefinition[] extensions);

    Task<Verdict> Oid(OidRequest request);

    /// <summary>The same, with what the structure says of itself.</summary>
    Task<Verdict> Oid(OidRequest request, PayloadHeader header);

    /// <summary>Sends the OID and comes back when it is pending at an extension, or waits behind one that is.</summary>
    Task<Pending> Begin(OidRequest request);

    /// <summary>So much time passes, on the target's own clock.</summary>
    Task Passes(TimeSpan time);

    /// <summary>The late answer of the extension that has pended the OID.</summary>
    Task<Verdict> Complete(string requestId, string extension, NdisStatus status);

    /// <summary>Asks for the cancelling of an OID.</summary>
    Task<Verdict> Cancel(string requestId);

    /// <summary>Saves the NIC on this port.</summary>
    Task<(Verdict Verdict, IReadOnlyList<NicBlob> Blobs)> Save(string port, int nicIndex = 0);

    Task<(Verdict Verdict, IReadOnlyList<TakenBlob> Blobs)> Restore(string port, IReadOnlyList<NicBlob> blobs, int nicIndex = 0);

    /// <summary>OIDs that arrive together, in this order where the target can keep it.</summary>
    Task<IReadOnlyList<Verdict>> OidsAtOnce(IEnumerable<OidRequest> requests);

    /// <summary>Takes a reference on the port, or on the NIC when an index is given; the verdict has the hold's id.</summary>
    Task<Verdict> Hold(string holder, uint portId, int? nicIndex);

    Task<Verdict> Release(string holdId);

    Task InFlight(uint portId, int nicIndex, int packets, int oids);

    /// <summary>Faults may be planted for a command after the next.</summary>
    bool PlantsLater { get; }

    /// <summary>Plants a fault at the miniport edge: the next such commands of this host fail, after those that are skipped.</summary>
    Task Plant(DriverVerb verb, NdisStatus status, int times = 1, int skip = 0);

    Task<Verdict> DefineVm(string vm, params NicDefinition[] nics);

    /// <summary>Adds a NIC and waits for the end of the operation; the verdict is the operation's.</summary>
    Task<Verdict> AddNic(string vm, NicDefinition nic);

    /// <summary>Takes a NIC away and waits as long as nothing holds it.</summary>
    Task<Verdict> RemoveNic(string vm, string nic);

    /// <summary>A port's properties and what they come to.</summary>
    Task<PortSeen> Port(EntityId port);

    /// <summary>Codes of the open alarms of an entity.</summary>
    Task<IReadOnlyList<string>> Alarms(EntityId id);

    /// <summary>The entity has an alarm with this code when so much time, on the target's own clock, has passed; and soon after on one that cannot be moved.</summary>
    Task<bool> Raises(EntityId id, string code, TimeSpan after);

    /// <summary>Starts and waits for the end of the operation; the verdict is the operation's.</summary>
    Task<Verdict> StartVm(string vm);

    /// <summary>Asks for the stop and waits for nothing.</summary>
    Task<Verdict> StopVm(string vm);

    /// <summary>running, stopped, …, once nothing moves any more.</summary>
    Task<string> Power(string vm);

    /// <summary>Types of the stored events of an entity, oldest first, once nothing moves any more.</summary>
    Task<IReadOnlyList<string>> Events(EntityId id);

    /// <summary>The MTU of a NIC as the control plane knows it.</summary>
    Task<int?> Mtu(EntityId nic);

    /// <summary>The states of all ports and NICs of this switch and of these other entities, as text to compare.</summary>
    Task<string> Picture();

    /// <summary>The data path has nothing left of this switch's ports and NICs.</summary>
    Task<bool> DataPathIsClean();
}

/// <summary>A port as people see it.</summary>
/// <param name="Properties">Type, instance and who enforces each, "nobody" where nobody does.</param>
/// <param name="Wanted">Digest of the policy that the properties make.</param>
/// <param name="Observed">Digest of what the host enforces for the NIC on the port.</param>
/// <param name="Ready">Everything on the port is as wanted.</param>
public sealed record PortSeen(IReadOnlyList<string> Properties, string Wanted, string? Observed, bool Ready);

/// <summary>How a request ended: completed with an outcome, done, or refused with a code and a rule.</summary>
/// <param name="Http">The HTTP status: 409 illegal here, 422 well formed but wrong.</param>
public sealed record Verdict(int Http, OidOutcome? Outcome, Refusal? Refusal, string? Id = null)
{
    public bool Succeeded => Refusal is null && Outcome is null or { Status: NdisStatus.Success };

    public override string ToString() =>
        Refusal is { } no ? $"{Http} {no.Code} ({no.Rule}): {no.Detail}" : $"{Http} {Outcome?.Oid} {Outcome?.Status}";
}

/// <summary>An OID that is on its way.</summary>
/// <param name="End">Its verdict, once nothing keeps it any more.</param>
public sealed record Pending(Func<Task<Verdict>> End);
