using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>Whether a NIC could come to this switch, before anything is asked of it (switch.md 4.6).</summary>
public static class Arrivals
{
    public static Decision<SwitchEvent> Decide(SwitchState state, NicDefinition nic) =>
        Refusals(state, nic).FirstOrDefault() is { } refusal
            ? Decision<SwitchEvent>.Refuse(refusal)
            : Decision<SwitchEvent>.Accept(new Done());

    /// <summary>Everything that stands against it; what only the extensions know, the validation port asks them.</summary>
    public static IEnumerable<Refusal> Refusals(SwitchState state, NicDefinition nic)
    {
        var (host, name) = (state.Id.Parts[0], state.Id.Parts[1]);
        if (state is not SwitchState.Here { Gone: false } s)
        {
            yield return new Refusal(
                RefusalKind.Conflict, "migration.switch.absent", $"Host {host} has no switch {name}, which NIC {nic.Name} is on.",
                "switch.md 4.6", "absent");
            yield break;
        }
        if (s.Stage != SwitchStage.Ready)
        {
            var stage = s.Stage.ToString().ToLowerInvariant();
            yield return new Refusal(
                RefusalKind.Conflict, "migration.switch.not-ready", $"Switch {name} of host {host} is {stage}.", "switch.md 4.6", stage);
        }
        var attached = Stack.Attached(s);
        foreach (var feature in (nic.RequiredFeatures ?? []).Where(feature => !attached.Any(extension => Offers(extension, feature))))
        {
            yield return new Refusal(
                RefusalKind.Conflict, "migration.feature.absent",
                $"NIC {nic.Name} requires {feature}, and no extension that is enabled on switch {name} of host {host} offers it.",
                "switch.md 4.6");
        }
    }

    /// <summary>By its name, with or without its class, by its id, or as a feature that it owns.</summary>
    static bool Offers(ExtensionDefinition extension, string feature) =>
        extension.Name == feature || ExtensionIds.Key(extension) == feature
        || string.Equals(ExtensionIds.Guid(extension), feature, StringComparison.OrdinalIgnoreCase)
        || extension.Settings?.Owns?.Contains(feature) == true;
}
