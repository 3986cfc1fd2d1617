using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Documents;

/// <summary>The move of a VM (migration.md c.2).</summary>
/// <param name="Id">VM~N: the VM's N-th migration.</param>
/// <param name="State">The stage that every NIC has reached, or the way out: aborting, returning, needsOperator; at the end completed or rolledBack.</param>
/// <param name="Stage">M0 to M13: the last stage that was reached on the way forward.</param>
/// <param name="Host">Who owns the VM's NICs now.</param>
/// <param name="Epoch">The group epoch of the grants that are given now.</param>
/// <param name="GuestReported">The VM manager's last word about the guest.</param>
/// <param name="Group">The steps of all NICs together.</param>
/// <param name="BlackoutMs">From the first gate that closed to the last one that opened again; absent while one is closed.</param>
/// <param name="Degraded">A NIC goes on without its data.</param>
/// <param name="Slow">The present stage takes longer than it should, and may not be given up by itself.</param>
/// <param name="Problem">Why it goes back, or went.</param>
sealed record MigrationDocument(
    string Id, string Vm, string State, string Stage, string Source, string Destination, string Host, MigrationMode Mode, GuestMover Guest,
    GuestEvent? GuestReported, string Operation, string Epoch, int DeadlineSeconds, int? MaxBlackoutMs, DateTimeOffset Started,
    DateTimeOffset? Ended, double? BlackoutMs, bool Degraded, bool Slow, ProblemDocument? Problem, IReadOnlyList<MigrationStageDocument> Stages,
    MigrationStrandDocument Group, IReadOnlyList<MigrationNicDocument> Nics, CertificateDocument? Certificate, string Revision, DateTimeOffset Updated);

/// <param name="Ms">How long it took to reach it, from the stage before.</param>
sealed record MigrationStageDocument(string Stage, string Name, DateTimeOffset At, double Ms);

/// <summary>One step, on which side; for a property which one, and whether it is about the validation port.</summary>
sealed record MigrationStepDocument(string Step, MigrationSide Side, string? Property, bool? Validation);

/// <param name="Done">Steps that took effect, oldest first.</param>
/// <param name="Remaining">Steps of the present stage; the first one is under way.</param>
sealed record MigrationStrandDocument(IReadOnlyList<MigrationStepDocument> Done, IReadOnlyList<MigrationStepDocument> Remaining);

/// <summary>One NIC's part.</summary>
/// <param name="TryAgainAt">The first remaining step was refused and is tried again then.</param>
/// <param name="ClosedAt">The source's gate was closed.</param>
/// <param name="OpenedAt">The gate was open again, at the destination or at the source that got the NIC back.</param>
/// <param name="Degraded">It is connected without its data, and why.</param>
/// <param name="Nowhere">It is on no host, and why.</param>
sealed record MigrationNicDocument(
    string Name, IReadOnlyList<MigrationStepDocument> Done, IReadOnlyList<MigrationStepDocument> Remaining, DateTimeOffset? TryAgainAt,
    DateTimeOffset? ClosedAt, DateTimeOffset? OpenedAt, double? BlackoutMs, ProblemDocument? Degraded, ProblemDocument? Nowhere);

/// <summary>What a migration came to, once it has ended (migration.md M13).</summary>
/// <param name="Moved">The VM is at the destination; else it is where it was.</param>
/// <param name="MissingNics">NICs that no host took.</param>
/// <param name="MaxBlackoutKept">Absent where nobody had said what could be borne.</param>
sealed record CertificateDocument(
    bool Moved, string Host, string Epoch, DateTimeOffset Started, DateTimeOffset Ended, double TookMs, double? BlackoutMs, bool? MaxBlackoutKept,
    IReadOnlyList<string> DegradedNics, IReadOnlyList<string> MissingNics);

/// <summary>What stands against a migration, as far as it can be seen; nothing was changed.</summary>
/// <param name="Possible">Nothing does. The destination's extensions may still refuse: its validation port asks them.</param>
/// <param name="WouldStore">What the VM would store at once; empty where something stands against it.</param>
sealed record MigrationCheckDocument(bool DryRun, bool Possible, IReadOnlyList<ProblemDocument> Refusals, IReadOnlyList<string> WouldStore);
