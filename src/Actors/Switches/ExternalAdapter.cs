using System.Text.Json.Serialization;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>How far the switch's own external port and adapters are.</summary>
/// <param name="Number">OIDs that were issued for them in the life of this switch: names the next.</param>
public sealed record ExternalAdapter(AdapterStage Stage, long Number = 0)
{
    /// <summary>
    /// There is something to do. What a peer does to them later is the peer's, until the switch is defined or activated
    /// anew.
    /// </summary>
    public bool Due { get; init; }

    /// <summary>The OID that it waits for.</summary>
    public string? Waiting { get; init; }

    /// <summary>The NIC or port whose gate it waits for.</summary>
    public AdapterDrain? Draining { get; init; }

    /// <summary>Why it could not be brought up, or not taken down.</summary>
    public Refusal? Problem { get; init; }

    /// <summary>The request to delete the switch, which follows when all is down.</summary>
    public string? DeleteMessageId { get; init; }

    /// <summary>Rejections in a row on the way down.</summary>
    public int Rejections { get; init; }

    /// <summary>The next step comes to nothing: it was tried often enough.</summary>
    [JsonIgnore]
    public bool Stuck => Rejections >= ExternalAdapters.RejectionsMax;
}

/// <summary>A gate that is waited for.</summary>
public sealed record AdapterDrain(EntityId Object, string EffectId);

/// <summary>Stages of the external adapter.</summary>
[JsonConverter(typeof(CamelEnumJson<AdapterStage>))]
public enum AdapterStage
{
    Down,
    Starting,
    Up,
    Stopping,
}
