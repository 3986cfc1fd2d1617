using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches.Extensions;

/// <summary>
/// An extension that is built in: a policy, as a pure function of the OID and of what the switch shows it. It is asked
/// on the way down, in stack order (switch.md 1.2). What it may not do is recorded as its fault by <see cref="Stack"/>.
/// </summary>
public interface IExtension
{
    /// <summary>The name under which a switch's definition asks for it.</summary>
    string Name { get; }

    /// <summary>Its class, or null if a definition may place it in any.</summary>
    ExtensionClass? Class { get; }

    /// <summary>Passes the OID on, or says otherwise.</summary>
    ExtensionAnswer Ask(OidRequest request, in StackView view);
}

/// <summary>What an extension sees of its switch.</summary>
/// <param name="Position">Its own place in the stack, 0 at the top.</param>
/// <param name="Used">Planned verdicts that were used, as "position/index", with how often.</param>
public readonly record struct StackView(
    int Position,
    ExtensionSettings Settings,
    IReadOnlyDictionary<uint, SwitchPort> Ports,
    IReadOnlyDictionary<string, int> Used);

/// <summary>What an extension does with an OID.</summary>
/// <param name="Completes">Null: passes it on. Otherwise it completes the OID itself with this status.</param>
/// <param name="Mtu">The MTU as it lowers it.</param>
/// <param name="ChangesPayload">It changed what the request points to (a fault, unless it is the MTU).</param>
/// <param name="Originates">An OID that it tried to send down itself.</param>
/// <param name="Uses">A planned verdict that this used, as its index.</param>
public sealed record ExtensionAnswer(
    NdisStatus? Completes = null, int? Mtu = null, bool ChangesPayload = false, OidCode? Originates = null, int? Uses = null)
{
    public static readonly ExtensionAnswer PassOn = new();

    public static ExtensionAnswer Refuse(NdisStatus status = NdisStatus.DataNotAccepted) => new(Completes: status);
}
