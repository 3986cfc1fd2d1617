using System.Security.Cryptography;
using System.Text;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches.Extensions;

/// <summary>
/// An extension that is built in: a policy, as a pure function of the OID and of what the switch shows it. It is asked
/// on the way down, in stack order (switch.md 1.2). What it may not do is recorded as its fault by <see cref="Stack"/>;
/// so is an exception. How to write one: docs/EXTENSIONS.md.
/// </summary>
public interface IExtension
{
    /// <summary>The name under which a switch's definition asks for it.</summary>
    string Name { get; }

    /// <summary>Its class, or null if a definition may place it in any.</summary>
    ExtensionClass? Class { get; }

    /// <summary>Passes the OID on, or says otherwise.</summary>
    ExtensionAnswer Ask(OidRequest request, in StackView view);

    /// <summary>
    /// It was enabled on a switch, the switch was activated, or the stack restarted: the place to look at what is there
    /// (switch.md 3.8). Nothing that is there can be refused; only the attaching can fail, and then the switch goes on
    /// without the extension.
    /// </summary>
    AttachAnswer Attach(in StackView view) => AttachAnswer.Done;
}

/// <summary>What an extension sees of its switch. Looking changes nothing.</summary>
/// <param name="Position">Its own place in the stack, 0 at the top.</param>
/// <param name="Ports">The ports with their NICs, as the last completed OID left them.</param>
/// <param name="Used">Planned verdicts that were used, as "position/index", with how often.</param>
public readonly record struct StackView(
    int Position,
    ExtensionSettings Settings,
    IReadOnlyDictionary<uint, SwitchPort> Ports,
    IReadOnlyDictionary<string, int> Used)
{
    /// <summary>Its class in this stack.</summary>
    public ExtensionClass Class { get; init; }

    /// <summary>The id of its saved data (switch.md 2.1, ExtensionId).</summary>
    public required string Id { get; init; }

    /// <summary>False: the switch is not ready, and the lists are not complete (switch.md 2.7).</summary>
    public bool IsActive { get; init; }

    /// <summary>The custom properties of the switch, by their identity.</summary>
    public required IReadOnlyDictionary<string, SwitchProperty> Properties { get; init; }

    /// <summary>NIC_SAVE: what the NIC's data path has gathered; null where there is none to read.</summary>
    public NicRuntime? Runtime { get; init; }

    /// <summary>NIC_SAVE: how many blobs of this NIC it has given since the last NIC_SAVE_COMPLETE.</summary>
    public int SavedRounds { get; init; }

    /// <summary>Everything that it keeps, by scope.</summary>
    public required IReadOnlyDictionary<string, string> Kept { get; init; }

    /// <summary>What it keeps for the switch, or null.</summary>
    public string? KeptForSwitch => Kept.GetValueOrDefault(ForSwitch);

    /// <summary>What it keeps for this NIC, or null.</summary>
    public string? KeptFor(uint portId, int nicIndex) => Kept.GetValueOrDefault(ForNic(portId, nicIndex));

    /// <summary>
    /// Sends an OID of its own down: those below it see it, then the switch answers (switch.md 1.2). It is over when this
    /// returns. The queries of switch.md 2.7 are anybody's; what NIC_REQUEST carries is as switch.md 2.8 says. What it may
    /// not send is its fault, and not sent; at <see cref="IExtension.Attach"/> nothing passes that it could send beside.
    /// </summary>
    /// <returns>SUCCESS with the output, as the OID entry gives it; or why not: INVALID_LENGTH with the bytes that it takes,
    /// FAILURE where the switch is not active or a NIC not connected, RESOURCES at the bound, NOT_SUPPORTED for the rest.</returns>
    public OriginatedAnswer Originate(OidCode oid, OidParameters? parameters = null) =>
        Sends?.Invoke(new OidRequest("", oid, 0, 0, parameters)) ?? new OriginatedAnswer(NdisStatus.NotSupported);

    /// <summary>
    /// Indicates a status for a VM's NIC, or for the adapters below the external port (index 0). A forwarder's alone, under a
    /// reference (switch.md 2.8); anybody else's is a fault.
    /// </summary>
    /// <returns>False: the NIC cannot be referenced, and nothing was indicated (O07); or it is not allowed.</returns>
    public bool Indicate(uint portId, int nicIndex, string status) => Tells?.Invoke(portId, nicIndex, status) == true;

    internal Func<OidRequest, OriginatedAnswer>? Sends { get; init; }

    internal Func<uint, int, string, bool>? Tells { get; init; }

    /// <summary>The scope of the switch.</summary>
    public const string ForSwitch = "";

    /// <summary>The scope of a NIC; what is kept there ends with the NIC.</summary>
    public static string ForNic(uint portId, int nicIndex) => FormattableString.Invariant($"{portId}/{nicIndex}");
}

/// <summary>How an OID ended that an extension sent down itself.</summary>
/// <param name="BytesNeeded">With INVALID_LENGTH: how large the buffer must be.</param>
public readonly record struct OriginatedAnswer(NdisStatus Status, System.Text.Json.JsonElement? Output = null, int? BytesNeeded = null);

/// <summary>What an extension does with an OID. Without anything it passes the OID on.</summary>
/// <param name="Completes">Null: passes it on. Otherwise it completes the OID itself with this status.</param>
/// <param name="Mtu">The MTU as it lowers it.</param>
/// <param name="ChangesPayload">It changed what the request points to (a fault, unless it is the MTU).</param>
/// <param name="Uses">A planned verdict that this used, as its index.</param>
public sealed record ExtensionAnswer(
    NdisStatus? Completes = null, int? Mtu = null, bool ChangesPayload = false, int? Uses = null)
{
    public static readonly ExtensionAnswer PassOn = new();

    /// <summary>Answers later: the OID stays here until <see cref="CompleteOid"/> comes (switch.md 3.7).</summary>
    public static readonly ExtensionAnswer Pend = new() { Pends = true };

    public static ExtensionAnswer Refuse(NdisStatus status = NdisStatus.DataNotAccepted) => new(Completes: status);

    /// <summary>NIC_SAVE: gives this data, or says that the buffer is too small for it (switch.md 4.1).</summary>
    public static ExtensionAnswer Save(OidRequest request, ReadOnlySpan<byte> data)
    {
        var needed = PayloadSizes.SaveState + data.Length;
        var given = (request.Parameters as NicSaveParameters)?.Capacity ?? PayloadSizes.SaveBufferMax;
        return needed > Math.Min(given, PayloadSizes.SaveBufferMax) // room beyond what SaveDataSize can say is no room
            ? new(Completes: NdisStatus.BufferTooShort) { BytesNeeded = needed }
            : new(Completes: NdisStatus.Success) { Saves = Convert.ToBase64String(data) };
    }

    /// <summary>NIC_RESTORE: gives it back to the NIC's data path, or says that it cannot have come from one (S12).</summary>
    public static ExtensionAnswer Restore(NicRuntimePart part) =>
        part.Refuse() is null ? new(Completes: NdisStatus.Success) { Restores = part } : Refuse(NdisStatus.InvalidParameter);

    /// <summary>A feature's status: gives it, or says that the buffer is too small for it (switch.md 2.6).</summary>
    public static ExtensionAnswer Status(OidRequest request, System.Text.Json.JsonElement status)
    {
        var needed = Encoding.UTF8.GetByteCount(status.GetRawText());
        return request.Parameters is FeatureStatusParameters { Capacity: { } capacity } && capacity < needed
            ? new(Completes: NdisStatus.InvalidLength) { BytesNeeded = needed }
            : new(Completes: NdisStatus.Success) { Output = status };
    }

    public bool Pends { get; init; }

    /// <summary>The property of the OID is its own: it enforces it (switch.md 2.5).</summary>
    public bool Owns { get; init; }

    /// <summary>With a completed feature status: what it answers.</summary>
    public System.Text.Json.JsonElement? Output { get; init; }

    /// <summary>With INVALID_LENGTH or BUFFER_TOO_SHORT: how many bytes it needs.</summary>
    public int? BytesNeeded { get; init; }

    /// <summary>With a completed NIC_SAVE: its data, base64.</summary>
    public string? Saves { get; init; }

    /// <summary>With a completed NIC_RESTORE: what goes back to the NIC's data path.</summary>
    public NicRuntimePart? Restores { get; init; }

    /// <summary>It asks for a restart of the stack, which can follow only when no OID is open (F07).</summary>
    public bool AsksRestart { get; init; }

    /// <summary>What it keeps from now on if the OID succeeds, by scope; a null value ends it.</summary>
    public IReadOnlyList<KeyValuePair<string, string?>> Keeps { get; init; } = [];

    /// <summary>The same answer, with something to keep.</summary>
    public ExtensionAnswer Keeping(string scope, string? value) => this with { Keeps = [.. Keeps, new(scope, value)] };
}

/// <summary>How the attaching went.</summary>
/// <param name="Fails">Null: attached.</param>
/// <param name="Keeps">What it keeps from now on, by scope.</param>
public sealed record AttachAnswer(NdisStatus? Fails, string? Detail, IReadOnlyList<KeyValuePair<string, string?>> Keeps)
{
    public static readonly AttachAnswer Done = new(null, null, []);
}

/// <summary>Ids under which extensions are known.</summary>
public static class ExtensionIds
{
    /// <summary>One extension of a stack: what it keeps belongs to its class and name, wherever it is moved within the class.</summary>
    public static string Key(ExtensionDefinition extension) => $"{extension.Class.ToString().ToLowerInvariant()}/{extension.Name}";

    /// <summary>The GUID of its saved data: the same on every host and in every release, as it is made of the name.</summary>
    public static string Guid(ExtensionDefinition extension) =>
        new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"extension/{Key(extension)}")).AsSpan(0, 16)).ToString("D");
}
