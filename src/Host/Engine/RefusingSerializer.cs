using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace ControlPlane.Host.Engine;

/// <summary>
/// Stands where Akka's reflecting JSON serializer would: a type without a serializer of its own is refused by name, when
/// it is first sent and not when it can no longer be read.
/// </summary>
sealed class RefusingSerializer : Serializer
{
#pragma warning disable IDE0060 // Akka gives a serializer of this name its settings, and finds no other constructor.
    public RefusingSerializer(ExtendedActorSystem system, Config settings) : base(system)
#pragma warning restore IDE0060
    {
    }

    static long _refusals;

    /// <summary>How many it refused in this process; each is a defect.</summary>
    public static long Refusals => Interlocked.Read(ref _refusals);

    public override int Identifier => Numbers.RefusingSerializerId;

    public override bool IncludeManifest => true;

    public override byte[] ToBinary(object obj) => throw Refused(obj.GetType());

    public override object FromBinary(byte[] bytes, Type type) => throw Refused(type);

    static NotSupportedException Refused(Type? type)
    {
        Interlocked.Increment(ref _refusals);
        return new NotSupportedException($"{type?.FullName ?? "a message"} has no serializer: give it a stored name, or keep it within one node");
    }
}
