using System.Text.Json;
using ControlPlane.Agent.Wire;
using ControlPlane.Messages;
using Google.Protobuf;

namespace ControlPlane.Agent.Link;

/// <summary>Words to the wire and back.</summary>
public static class Parcels
{
    /// <summary>Version of the link's rules; rises when an older peer could misunderstand.</summary>
    public const int Protocol = 1;

    /// <summary>One message on the link; a larger one ends the stream with RESOURCE_EXHAUSTED.</summary>
    public const int BytesMax = 4 * 1024 * 1024;

    public static Parcel ToWire(LinkParcel parcel) => new()
    {
        Name = StoredNames.Of(parcel.Word),
        Body = UnsafeByteOperations.UnsafeWrap(StoredNames.Encode(parcel.Word)),
        Session = (ulong)parcel.Session,
        Id = parcel.Id,
    };

    /// <summary>Throws <see cref="MalformedParcelException"/> for a name or body that this release does not know.</summary>
    public static LinkParcel FromWire(Parcel wire)
    {
        if (wire.Session > long.MaxValue)
        {
            throw new MalformedParcelException($"session {wire.Session} is no session number");
        }
        try
        {
            return new LinkParcel(StoredNames.Decode(wire.Name, wire.Body.Span), (long)wire.Session, wire.Id);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException
            or NotSupportedException or ArgumentException or FormatException)
        {
            throw new MalformedParcelException($"parcel {Shown(wire.Name)} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>A peer's text in a message of ours: short, and without anything that a terminal would obey.</summary>
    static string Shown(string text) =>
        new([.. text.Take(64).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)]);
}
