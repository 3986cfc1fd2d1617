using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>A target with a second host, for what moves between the two: the scenarios of a migration.</summary>
public interface ITwoHosts : ITarget
{
    /// <summary>The host that VMs are moved to; <see cref="ITarget.Host"/> is the one that they come from.</summary>
    string Destination { get; }

    /// <summary>Both hosts come.</summary>
    Task Begin();

    Task End();

    /// <summary>Defines a switch on either host.</summary>
    Task<Verdict> DefineAt(string host, string name, params ExtensionDefinition[] extensions);

    /// <summary>An OID at the switch of this scenario on either host.</summary>
    Task<Verdict> OidAt(string host, OidRequest request);

    /// <summary>The next such commands of either host fail.</summary>
    Task PlantAt(string host, DriverVerb verb, NdisStatus status, int times = 1);

    /// <summary>Moves the VM to the destination and waits until it is where it stays; the verdict is the operation's.</summary>
    Task<Verdict> Migrate(string vm);

    /// <summary>Asks for the move of a VM, and waits for nothing.</summary>
    Task<Verdict> BeginMigration(string vm, GuestMover guest = GuestMover.None);

    /// <summary>The VM manager's word about the guest of the VM's first migration.</summary>
    Task<Verdict> Report(string vm, GuestEvent happened);

    Task<Verdict> CancelMigration(string vm);

    /// <summary>Waits until the VM's first migration has this state.</summary>
    Task Reaches(string vm, string state);

    /// <summary>Asks for the move, and the source falls silent when all data is saved: nothing that is asked of it from then on reaches it.</summary>
    Task SourceFallsSilentAfterTheSave(string vm);

    /// <summary>The host comes again: as it was, or with nothing on it but its fences.</summary>
    Task Returns(string host, bool rebooted);

    /// <summary>An operator gives the host up.</summary>
    Task GivesUp(string host);

    /// <summary>
    /// What the scenario's switches and the VM said of the VM's migration, in the order in which it was stored: the host and
    /// the OID that was completed there (with ! where it was refused), or the VM and its event.
    /// </summary>
    Task<IReadOnlyList<string>> Story(string vm);

    /// <summary>The most gates of the NIC that were open at once, on both hosts, at any time.</summary>
    int GatesOpenAtOnce(EntityId nic);

    bool IsOpenAt(string host, EntityId nic);

    /// <summary>VFAssigned of the last NIC_UPDATED that came to the scenario's switch there.</summary>
    Task<bool?> LastVf(string host);

    Task<uint> PortNumber(EntityId port);

    /// <summary>Rounds of announcements that went out for the NIC at the destination.</summary>
    Task<int> Announced(EntityId nic);
}
