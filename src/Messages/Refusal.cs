namespace ControlPlane.Messages;

/// <summary>Why a request was not done; each kind is one HTTP status (api.md 2), mapped in one place.</summary>
public enum RefusalKind
{
    Malformed = 1,
    Forbidden,
    NotFound,
    Conflict,
    Stale,
    Unprocessable,
    /// <summary>A bound was reached; try again later.</summary>
    Overloaded,
    /// <summary>A part that is needed is away; try again later.</summary>
    Unavailable,
    /// <summary>The host that is needed has no session; final for this request.</summary>
    Offline,
    /// <summary>The journal did not say whether the change is stored; ask again with the same idempotency key.</summary>
    Unknown,
    /// <summary>The work's deadline passed before it began.</summary>
    Expired,
    /// <summary>A defect of ours; nothing was changed.</summary>
    Defect,
}

/// <summary>An expected "no": a value, never an exception.</summary>
/// <param name="Code">Stable dotted word, such as nic.delete.connected.</param>
/// <param name="Detail">One sentence for a person.</param>
/// <param name="Rule">Where switch.md names one: T7, R3, G4, X05.</param>
/// <param name="State">The state that was the reason.</param>
/// <param name="Field">The field of the request that is wrong.</param>
/// <param name="Holds">What keeps a drain gate closed, when that is the reason.</param>
public sealed record Refusal(
    RefusalKind Kind,
    string Code,
    string Detail,
    string? Rule = null,
    string? State = null,
    string? Field = null,
    DrainReport? Holds = null)
{
    /// <summary>The asker may send the same message again and get another answer: nothing was decided.</summary>
    public bool Transient => Kind is RefusalKind.Overloaded or RefusalKind.Unavailable or RefusalKind.Unknown or RefusalKind.Defect;

    public static Refusal Illegal(string code, string detail, string rule, string state) =>
        new(RefusalKind.Conflict, code, detail, rule, state);
}

/// <summary>What is still in flight or held at a port or NIC: the reasons that a drain gate is closed (switch.md 3.6).</summary>
public sealed record DrainReport(IReadOnlyList<Hold> Holds, int Packets, int Oids);

/// <summary>A reference taken by an extension or peer (switch.md 9.4). It is data: it survives restarts, and only a release ends it.</summary>
public sealed record Hold(string Id, string Holder, string Purpose, DateTimeOffset TakenAt);
