using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace ControlPlane.DriverLinux;

/// <summary>
/// A packet program that the kernel has checked and holds as long as this descriptor is open or a filter uses it: an
/// attached one goes on without this process. <paramref name="Tag"/> is the kernel's digest of the instructions, the
/// same for the same instructions; which maps they use is not in it.
/// </summary>
sealed unsafe record BpfProgram(SafeFileHandle Descriptor, string Tag) : IDisposable
{
    const int LoadProgram = 5;
    const int FromId = 13;
    const int GetInfo = 15;
    const int TrafficClassifier = 3;
    const int InfoBytes = 128;
    const int InfoMaps = 52;

    public static BpfProgram Load(string name, BpfCode code)
    {
        var instructions = code.Bytes();
        fixed (byte* first = instructions, terms = "GPL\0"u8)
        {
            var attributes = new byte[BpfCall.AttributeBytes];
            BinaryPrimitives.WriteInt32LittleEndian(attributes, TrafficClassifier);
            BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(4), code.Count);
            BinaryPrimitives.WriteInt64LittleEndian(attributes.AsSpan(8), (nint)first);
            BinaryPrimitives.WriteInt64LittleEndian(attributes.AsSpan(16), (nint)terms);
            BpfCall.Label(name).CopyTo(attributes.AsSpan(48));
            return Of(BpfCall.Open(LoadProgram, "load " + name, attributes));
        }
    }

    /// <summary>One that the kernel has, by its number; null when it is no more.</summary>
    public static BpfProgram? Find(uint id) => BpfCall.Find(FromId, "open a program", id) is { } found ? Of(found) : null;

    /// <summary>The number of the one map that it uses; null if it uses none.</summary>
    public uint? Map()
    {
        uint map = 0;
        var info = new byte[InfoBytes];
        BinaryPrimitives.WriteInt32LittleEndian(info.AsSpan(InfoMaps), 1);
        BinaryPrimitives.WriteInt64LittleEndian(info.AsSpan(InfoMaps + 4), (nint)(&map));
        Ask(Descriptor, info);
        return BinaryPrimitives.ReadInt32LittleEndian(info.AsSpan(InfoMaps)) == 0 ? null : map;
    }

    public void Dispose() => Descriptor.Dispose();

    static BpfProgram Of(SafeFileHandle descriptor)
    {
        var info = new byte[InfoBytes];
        Ask(descriptor, info);
        return new BpfProgram(descriptor, Convert.ToHexStringLower(info.AsSpan(8, 8)));
    }

    static void Ask(SafeFileHandle program, byte[] info)
    {
        var attributes = new byte[16];
        fixed (byte* answer = info)
        {
            BinaryPrimitives.WriteInt32LittleEndian(attributes, (int)program.DangerousGetHandle());
            BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(4), info.Length);
            BinaryPrimitives.WriteInt64LittleEndian(attributes.AsSpan(8), (nint)answer);
            BpfCall.Do(GetInfo, "read back a program", attributes);
        }
    }
}
